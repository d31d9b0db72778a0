import t from 'tap';
import { parseRedisUrl } from '../../src/limits/redis-url.ts';

const plain = { tls: false, username: undefined, password: undefined, db: 0, sentinelName: undefined };

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
    sentinelName: undefined,
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
