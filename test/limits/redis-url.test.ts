import t from 'tap';
import { parseRedisUrl } from '../../src/limits/redis-url.ts';

const unset = { sentinelName: undefined, sentinelUsername: undefined, sentinelPassword: undefined };
const plain = { ...unset, tls: false, username: undefined, password: undefined, db: 0 };

t.test('a single server', async (t) => {
  t.strictSame(parseRedisUrl('redis://127.0.0.1'), {
    ...plain,
    kind: 'single',
    nodes: [{ host: '127.0.0.1', port: 6379 }],
  });
  t.strictSame(parseRedisUrl('rediss://user:p%40ss@cache.example.com:6380/2'), {
    kind: 'single',
    nodes: [{ host: 'cache.example.com', port: 6380 }],
    tls: true,
    username: 'user',
    password: 'p@ss',
    db: 2,
    ...unset,
  });
  t.match(parseRedisUrl('redis://:secret@[::1]:7000/'), {
    username: undefined,
    password: 'secret',
    nodes: [{ host: '::1', port: 7000 }],
  });
});

t.test('sentinels', async (t) => {
  t.strictSame(parseRedisUrl('redis+sentinel://:secret@a.example:26380,b.example,[2001:db8::1]:1/main/3'), {
    ...plain,
    kind: 'sentinel',
    password: 'secret',
    nodes: [
      { host: 'a.example', port: 26_380 },
      { host: 'b.example', port: 26_379 },
      { host: '2001:db8::1', port: 1 },
    ],
    sentinelName: 'main',
    db: 3,
  });
  t.match(parseRedisUrl('rediss+sentinel://a.example/main'), { tls: true, kind: 'sentinel' });
});

t.test('a cluster', async (t) => {
  t.match(parseRedisUrl('redis+cluster://a.example,b.example:7001'), {
    kind: 'cluster',
    nodes: [
      { host: 'a.example', port: 6379 },
      { host: 'b.example', port: 7001 },
    ],
  });
});

t.test('sentinels with credentials of their own', async (t) => {
  const url = 'redis+sentinel://user:secret@a.example/main?sentinel_username=watch&sentinel_password=p%40s%26=s+';
  t.match(parseRedisUrl(url), {
    username: 'user',
    password: 'secret',
    sentinelUsername: 'watch',
    sentinelPassword: 'p@s&=s+',
  });
  t.match(parseRedisUrl('redis+sentinel://a.example/main/2?sentinel_password=x'), {
    db: 2,
    sentinelUsername: undefined,
    sentinelPassword: 'x',
  });
});

t.test('a password may contain every character, percent-encoded, and most as they are', async (t) => {
  for (const password of ['p:ss', 'p#ss', 'p?ss', 'p ss', 'p+ss', 'pä€😀', 'p"\'ss', 'p=&;,[]\\ss', '#', '?']) {
    t.match(parseRedisUrl(`redis://user:${password}@a.example/1`), { username: 'user', password, db: 1 }, password);
  }
  const all = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
  t.match(parseRedisUrl(`redis://:${encodeURIComponent(all)}@a.example`), { password: all });
});

t.test('a character that hides where the host starts is named, with how it must be written', async (t) => {
  const faults: Record<string, RegExp> = {
    'redis://:s3@cret@a.example': /"@".*%40/,
    'redis://s3@cret:x@a.example': /"@".*%40/,
    'redis+sentinel://:s3@cret@a.example/main': /"@".*%40/,
    'redis://:s3/cret@a.example:6379/0': /"\/".*%2F/,
    'redis://:/s3cret@a.example': /"\/".*%2F/,
    'redis+cluster://user/s3:cret@a.example': /"\/".*%2F/,
    'redis://:s3%cret@a.example': /"%".*%25/,
    'redis://:s3cret%@a.example': /"%".*%25/,
    'redis://:%ff@a.example': /"%".*%25/,
    'redis+sentinel://a.example/main?sentinel_password=s3%cret': /"%".*%25/,
    'redis+sentinel://a.example/main?sentinel_password=s3@cret': /"@"|\/.*%2F/,
    'redis://:s3@a.example/0?cret': /"\?".*%3F/,
  };
  for (const [url, message] of Object.entries(faults)) {
    t.throws(() => parseRedisUrl(url), { message }, url);
    t.throws(() => parseRedisUrl(url), { message: /^(?!.*(?:s3|cret|a\.example))/ }, url);
  }
});

t.test('the scheme may have any case', async (t) => {
  t.strictSame(parseRedisUrl('REDIS://a.example'), parseRedisUrl('redis://a.example'));
  t.match(parseRedisUrl('Rediss+Sentinel://a.example/Main'), { kind: 'sentinel', tls: true, sentinelName: 'Main' });
});

t.test('each part that cannot be used is named', async (t) => {
  const faults: Record<string, RegExp> = {
    'redis://a.example/99999': /^must end in a database number from 0 to 9999, and nothing after it$/,
    'redis://a.example/x': /database number/,
    'redis://a.example/-1': /database number/,
    'redis://a.example/0/1': /nothing after it/,
    'redis+sentinel://a.example/main/99999': /database number/,
    'redis://a.example#frag': /"#" after the host/,
    'redis://a.example/0#frag': /"#" after the host/,
    'redis+sentinel://a.example/main?sentinel_password=x#frag': /"#" after the host/,
    'redis://': /names no host/,
    'redis:///0': /names no host/,
    'redis://:6379': /names no host/,
    'redis://:s3cret@': /names no host/,
    'redis://user:s3cret@:6379/0': /names no host/,
    'redis+cluster://a.example,,b.example': /names no host/,
    'redis+sentinel://a.example,/main': /names no host/,
    'redis://a.example:0': /port that is not a number from 1 to 65535/,
    'redis://a.example:65536': /port that is not a number from 1 to 65535/,
    'redis://a.example:': /port that is not a number from 1 to 65535/,
    'redis://a.example:x': /port that is not a number from 1 to 65535/,
    'redis+cluster://a.example,b.example:0': /port that is not a number from 1 to 65535/,
    'redis://2001:db8::1': /IPv6 address that is not in brackets/,
    'redis://[::::]': /host that cannot be read/,
  };
  for (const [url, message] of Object.entries(faults)) t.throws(() => parseRedisUrl(url), { message }, url);
});

t.test('what cannot be read is refused without being shown', async (t) => {
  for (const url of [
    '',
    'http://:s3cret@a.example',
    'redis:s3cret',
    'redis://',
    'redis://:s3cret@',
    'redis://:s3cret@a.example:99999',
    'redis://:s3cret@a.example:x',
    'redis://:s3cret@a.example/x',
    'redis://:s3cret@a.example/0/1',
    'redis://:s3cret@a.example,b.example',
    'redis://:s3cret%zz@a.example',
    'redis://:s3cret@a.example/0?db=1',
    'redis+sentinel://:s3cret@a.example',
    'redis+cluster://:s3cret@a.example/1',
    'redis+other://:s3cret@a.example',
    'redis://:s3cret@a example',
    'redis+sentinel://a.example/main?sentinel_username=s3cret',
    'redis+sentinel://a.example/main?password=s3cret',
    'redis+cluster://a.example?sentinel_password=s3cret',
    'redis://a.example#s3cret',
  ]) {
    let message = '';
    try {
      parseRedisUrl(url);
      t.fail(`${url} was read`);
    } catch (error) {
      message = (error as Error).message;
    }
    t.notMatch(message, 's3cret');
    t.not(message, '');
  }
});
