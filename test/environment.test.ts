import { join } from 'node:path';
import t from 'tap';
import { ConfigError, EnvironmentReader, isOrigin, splitList } from '../src/environment.ts';

t.test('all faults are told in one go', async (t) => {
  const one = new ConfigError(['PORT: must be a whole number']);
  t.match(one, { name: 'ConfigError', faults: ['PORT: must be a whole number'] });
  t.equal(one.message, 'The configuration has a fault:\n  PORT: must be a whole number');
  const two = new ConfigError(['A: is missing', 'B: is missing']);
  t.equal(two.message, 'The configuration has 2 faults:\n  A: is missing\n  B: is missing');
  t.type(two, Error);
});

t.test('a setting that is empty is not set', async (t) => {
  const env = new EnvironmentReader({ EMPTY: '', BLANK: ' \t\n', SET: ' a b \n' });
  t.equal(env.text('EMPTY'), undefined);
  t.equal(env.text('BLANK'), undefined);
  t.equal(env.text('ABSENT'), undefined);
  t.equal(env.text('SET'), 'a b', 'blanks around it do not count');
  t.equal(env.integer('EMPTY', 7, 1, 9), 7);
  t.equal(env.oneOf('BLANK', ['a', 'b'], 'b'), 'b');
  t.strictSame(env.list('EMPTY'), []);
  t.equal(env.url('EMPTY'), undefined);
  t.strictSame(env.origins('BLANK'), []);
  t.equal(env.secret('EMPTY'), undefined);
  t.strictSame(env.faults, []);
  t.strictSame([...env.names], ['EMPTY', 'BLANK', 'ABSENT', 'SET'], 'it remembers what it was asked');
});

t.test('a secret may stand in a file', async (t) => {
  const folder = t.testdir({
    token: ' secret-token\n',
    lines: 'first\nsecond\n',
    empty: ' \n',
    marked: '\uFEFFsecret-token\r\n',
    utf16: Buffer.from('\uFEFFsecret-token\r\n', 'utf16le'),
    unmarked: Buffer.from('secret-token', 'utf16le'),
    latin1: Buffer.from('secret-tokén', 'latin1'),
  });
  const file = (name: string) => join(folder, name);
  const good: [Record<string, string>, string | undefined][] = [
    [{ TOKEN: 'direct' }, 'direct'],
    [{ TOKEN_FILE: file('token') }, 'secret-token'],
    [{ TOKEN_FILE: ` ${file('token')} ` }, 'secret-token'],
    [{ TOKEN: '', TOKEN_FILE: file('lines') }, 'first\nsecond'],
    [{ TOKEN_FILE: file('marked') }, 'secret-token'],
    [{ TOKEN: 'direct', TOKEN_FILE: '' }, 'direct'],
    [{ TOKEN: 'direct', TOKEN_FILE: ' ' }, 'direct'],
    [{}, undefined],
  ];
  for (const [values, expected] of good) {
    const env = new EnvironmentReader(values);
    t.equal(env.secret('TOKEN'), expected);
    t.strictSame(env.faults, []);
  }
  const bad: [Record<string, string>, string, string | undefined][] = [
    [{ TOKEN: 'direct', TOKEN_FILE: file('token') }, 'TOKEN: set either TOKEN or TOKEN_FILE, not both', 'direct'],
    [{ TOKEN_FILE: file('empty') }, 'TOKEN_FILE: the file is empty', undefined],
    [{ TOKEN_FILE: file('absent') }, 'TOKEN_FILE: the file cannot be read (ENOENT)', undefined],
    [{ TOKEN_FILE: file('utf16') }, 'TOKEN_FILE: the file is UTF-16 or binary; save it as UTF-8', undefined],
    [{ TOKEN_FILE: file('unmarked') }, 'TOKEN_FILE: the file is UTF-16 or binary; save it as UTF-8', undefined],
    [
      { TOKEN_FILE: file('latin1') },
      'TOKEN_FILE: the file is not valid UTF-8 (perhaps Latin-1 or Windows-1252); save it as UTF-8',
      undefined,
    ],
    [{ TOKEN_FILE: folder }, 'TOKEN_FILE: the file cannot be read (EISDIR)', undefined],
    [{ TOKEN_FILE: 'a\u0000b' }, 'TOKEN_FILE: the file cannot be read (ERR_INVALID_ARG_VALUE)', undefined],
  ];
  for (const [values, fault, value] of bad) {
    const env = new EnvironmentReader(values);
    t.equal(env.secret('TOKEN'), value);
    t.strictSame(env.faults, [fault]);
  }
});

t.test('a variable that differs from an unset setting only in case is a fault', async (t) => {
  const faultsOf = (env: Record<string, string>) => {
    const reader = new EnvironmentReader(env);
    reader.text('NODE_ENV');
    reader.secret('SESSION_KEYS');
    reader.shared('HTTPS_PROXY');
    reader.checkSpelling();
    return reader.faults;
  };
  for (const [name, setting] of [
    ['node_env', 'NODE_ENV'],
    ['Node_Env', 'NODE_ENV'],
    ['session_keys', 'SESSION_KEYS'],
    ['Https_Proxy', 'HTTPS_PROXY'],
  ] as const) {
    t.strictSame(faultsOf({ [name]: 'zebra' }), [`${name}: is no setting; write ${setting}`]);
    t.strictSame(faultsOf({ [name]: ' ' }), [], 'an empty variable');
    t.strictSame(faultsOf({ [name]: 'zebra', [setting]: 'a' }), [], 'the setting has a value');
  }
  t.strictSame(faultsOf({ session_keys_file: 'a' }), ['session_keys_file: is no setting; write SESSION_KEYS_FILE']);
  t.strictSame(faultsOf({ https_proxy: 'a', NODE_ENV: 'a', PATH: 'a', NODE_ENVIRONMENT: 'a', SESSIONKEYS: 'a' }), []);
});

t.test('a number is whole and within its bounds', async (t) => {
  for (const [value, expected] of Object.entries({ '0': 0, '42': 42, '007': 7, '65535': 65_535 })) {
    const env = new EnvironmentReader({ N: value });
    t.equal(env.integer('N', 1, 0, 65_535), expected, value);
    t.strictSame(env.faults, [], value);
  }
  for (const value of [
    '-1',
    '65536',
    '1.5',
    '1e3',
    '0x10',
    '+1',
    'ten',
    '1 0',
    'NaN',
    'Infinity',
    '٤',
    '9'.repeat(16),
  ]) {
    const env = new EnvironmentReader({ N: value });
    t.equal(env.integer('N', 1, 0, 65_535), 1, value);
    t.strictSame(env.faults, ['N: must be a whole number from 0 to 65535'], value);
  }
});

t.test('a choice is one of those that there are', async (t) => {
  const env = new EnvironmentReader({ GOOD: 'b', BAD: 'B' });
  t.equal(env.oneOf('GOOD', ['a', 'b'], 'a'), 'b');
  t.strictSame(env.faults, []);
  t.equal(env.oneOf('BAD', ['a', 'b'], 'a'), 'a');
  t.strictSame(env.faults, ['BAD: must be one of: a, b']);
});

t.test('lists are separated by commas', async (t) => {
  t.strictSame(splitList(' a, b ,,c,'), ['a', 'b', 'c']);
  t.strictSame(splitList(','), []);
  t.strictSame(splitList(undefined), []);
  t.strictSame(new EnvironmentReader({ LIST: 'a,b' }).list('LIST'), ['a', 'b']);
});

t.test('a URL is http or https, without credentials', async (t) => {
  for (const value of ['https://a.example/b?c=d', 'http://127.0.0.1:8080', 'HTTPS://A.example']) {
    const env = new EnvironmentReader({ U: value });
    t.equal(env.url('U')?.href, new URL(value).href);
    t.strictSame(env.faults, []);
  }
  const secret = 'hunter2';
  const bad = ['a.example', '/path', 'ftp://a.example', 'javascript:1', 'file:///etc', 'http://', 'https://[::1'];
  for (const value of [
    ...bad,
    `https://u:${secret}@a.example`,
    `https://${secret}@a.example`,
    `redis://:${secret}@a`,
  ]) {
    const env = new EnvironmentReader({ U: value });
    t.equal(env.url('U'), undefined, value);
    t.strictSame(env.faults, ['U: must be an http or https URL without credentials'], value);
  }
});

t.test('an origin is scheme, host and port, and nothing else', async (t) => {
  const good: Record<string, string> = {
    'https://app.example.com': 'https://app.example.com',
    'https://app.example.com/': 'https://app.example.com',
    'http://127.0.0.1:3000': 'http://127.0.0.1:3000',
    'http://[::1]:3000': 'http://[::1]:3000',
    'http://app_1:8080': 'http://app_1:8080',
    // Written in another way, they are the same origins.
    'HTTPS://App.Example.Com': 'https://app.example.com',
    'https://app.example.com:443': 'https://app.example.com',
    'http://app.example.com:80/': 'http://app.example.com',
    'https://münchen.example': 'https://xn--mnchen-3ya.example',
  };
  for (const [text, origin] of Object.entries(good)) {
    t.ok(isOrigin(text), text);
    const env = new EnvironmentReader({ O: `${text}, https://b.example` });
    t.strictSame(env.origins('O'), [origin, 'https://b.example'], text);
    t.strictSame(env.faults, [], text);
  }
  const bad = [
    'app.example.com',
    'null',
    '*',
    'https://*.example.com',
    'https://app.example.com/path',
    'https://app.example.com//',
    'https://app.example.com?a',
    'https://app.example.com/#a',
    'https://user@app.example.com',
    'https://user:pass@app.example.com',
    'ftp://app.example.com',
    'javascript:alert(1)',
    'https:app.example.com',
    'https://',
    'https:///app.example.com',
    'https://app.example.com:99999',
    'https://a b.example',
    'https://app.example.com\\a',
    'file:///a',
  ];
  for (const text of bad) {
    t.notOk(isOrigin(text), text);
    const env = new EnvironmentReader({ O: `https://b.example,${text}` });
    t.strictSame(env.origins('O'), ['https://b.example'], text);
    t.strictSame(env.faults, ['O: each must be an origin such as https://app.example.com, without a path'], text);
  }
});
