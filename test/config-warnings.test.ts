import t from 'tap';
import { readConfig } from '../src/config.ts';
import { configWarnings } from '../src/config-warnings.ts';

const PRODUCTION = {
  NODE_ENV: 'production',
  SESSION_KEYS: Buffer.alloc(32, 1).toString('base64'),
  ORIGIN: 'https://login.example.com',
  USERS_TOKEN: 'token',
  WEBHOOK_SECRET: 'a secret of the tests',
};

const NOW = Date.parse('2026-12-01T12:00:00Z');
const warnings = (env: Record<string, string>) => configWarnings(readConfig({ ...PRODUCTION, ...env }), NOW);

t.test('in production, what carries passwords and codes should be https', async (t) => {
  const env = { USERS_URL: 'http://users.example.com/check', WEBHOOK_URL: 'http://192.0.2.1/' };
  t.strictSame(warnings(env), [
    'USERS_URL: passwords travel unencrypted; use https',
    'WEBHOOK_URL: codes and phone numbers travel unencrypted; use https',
  ]);
  t.strictSame(warnings({ USERS_URL: 'https://users.example.com/', WEBHOOK_URL: 'https://192.0.2.1/' }), []);
  t.strictSame(warnings({ USERS_FILE: 'users.json', WEBHOOK_URL: 'https://192.0.2.1/' }), []);
});

t.test('on the same machine nobody listens in', async (t) => {
  for (const host of ['127.0.0.1:8080', '127.0.0.2', '[::1]:8080', 'localhost', 'users.localhost:1']) {
    t.strictSame(warnings({ USERS_URL: `http://${host}/`, WEBHOOK_URL: `http://${host}/` }), [], host);
  }
  for (const host of ['127.0.0.1.example.com', 'localhost.example.com', '[2001:db8::1]']) {
    t.equal(warnings({ USERS_URL: `http://${host}/`, WEBHOOK_URL: `http://${host}/` }).length, 2, host);
  }
});

t.test('a proxy for destinations on this machine, and entries of NO_PROXY that are ignored', async (t) => {
  const local = (env: Record<string, string>) =>
    configWarnings(readConfig({ HTTPS_PROXY: 'http://p:1', HTTP_PROXY: 'http://p:1', ...env }), NOW);
  const twilio = { TWILIO_HOST: '127.0.0.1:8443', TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 'token' };
  const env = { ...twilio, TWILIO_NUMBER: '+15550100198', USERS_URL: 'http://localhost:8080/' };
  t.match(local(env), [
    /^HTTPS_PROXY: requests to 127\.0\.0\.1 \(TWILIO_HOST\) go through the proxy, .* NO_PROXY/,
    /^HTTP_PROXY: requests to localhost \(USERS_URL\)/,
  ]);
  t.strictSame(local({ ...env, NO_PROXY: '127.0.0.1,localhost' }), []);
  t.strictSame(local({ USERS_URL: 'https://users.example.com/' }), []);
  t.strictSame(local({ NO_PROXY: 'example.com,http://example.org' }), [
    'NO_PROXY: entry 2 is not a host name, an address or a network, and is ignored',
  ]);
});

t.test('development may do as it likes', async (t) => {
  t.strictSame(configWarnings(readConfig({ USERS_URL: 'http://users.example.com/' }), NOW), []);
});

t.test('an API that sends anywhere, and numbers with a fixed code, are told', async (t) => {
  const env = { WEBHOOK_URL: 'https://192.0.2.1/', USERS_FILE: 'users.json', USERS_TOKEN: '' };
  const API_KEYS = `shop:${'a'.repeat(64)}`;
  t.match(warnings({ ...env, API_KEYS }), [/^ALLOWED_COUNTRIES: every country/]);
  t.strictSame(warnings({ ...env, API_KEYS, ALLOWED_COUNTRIES: 'US' }), []);
  const TEST_NUMBERS = '+15550100001:123456';
  t.strictSame(warnings({ ...env, TEST_NUMBERS, TEST_NUMBERS_UNTIL: '2026-12-31' }), [
    'TEST_NUMBERS: 1 numbers have a fixed code, for 31 more days',
  ]);
  t.match(warnings({ ...env, TEST_NUMBERS, TEST_NUMBERS_UNTIL: '2026-11-30' }), [/last day is over/]);
});

t.test('one audience for several apps is warned about', async (t) => {
  const env = {
    WEBHOOK_URL: 'https://192.0.2.1/',
    USERS_FILE: 'users.json',
    USERS_TOKEN: '',
    ASSERTION_KEY: Buffer.alloc(32, 2).toString('base64'),
    ALLOWED_RETURN_ORIGINS: 'https://login.example.com',
  };
  const ASSERTION_AUDIENCE = 'inbox';
  const isWarned = (more: Record<string, string>) =>
    warnings({ ...env, ...more }).some((line) => line.startsWith('ASSERTION_AUDIENCE: every app accepts'));
  t.notOk(isWarned({ COOKIE_DOMAIN: 'example.com' }));
  t.notOk(isWarned({ ASSERTION_AUDIENCE }), 'one app');
  t.notOk(isWarned({ ASSERTION_AUDIENCE, COOKIE_DOMAIN: 'example.com', ASSERTION_KEY: '' }), 'nothing is signed');
  t.ok(isWarned({ ASSERTION_AUDIENCE, COOKIE_DOMAIN: 'example.com' }));
  t.ok(isWarned({ ASSERTION_AUDIENCE, ALLOWED_RETURN_ORIGINS: 'https://a.example.com,https://b.example.com' }));
});

t.test('two windows of one length are reported by the name of their setting, in development too', async (t) => {
  const warned = (env: Record<string, string>) => configWarnings(readConfig({ NODE_ENV: 'test', ...env }), NOW);
  for (const name of [
    'LIMIT_PASSWORD_PAIR',
    'LIMIT_PASSWORD_USER',
    'LIMIT_PASSWORD_ADDRESS',
    'LIMIT_SEND_PHONE',
    'LIMIT_SEND_ACCOUNT',
    'LIMIT_SEND_ADDRESS',
    'LIMIT_SEND_KEY',
    'LIMIT_SEND_BLOCK',
    'LIMIT_SEND_LOGIN_BLOCK',
  ]) {
    t.strictSame(
      warned({ [name]: '5/600,20/600,20/86400', MAX_GUESS_RISK: '1' }),
      [`${name}: has two windows of the same length; only the stricter one counts: 5/600,20/86400`],
      name,
    );
  }
  t.strictSame(warned({}), []);
});

t.test('return origins that the session cookie does not reach are warned about, in development as well', async (t) => {
  const lines = (env: Record<string, string>) =>
    configWarnings(readConfig({ ORIGIN: 'https://login.example.com', ...env }), NOW);
  const apps = 'https://app.example.com,https://wiki.example.com';
  t.strictSame(lines({ ALLOWED_RETURN_ORIGINS: apps }), [
    'ALLOWED_RETURN_ORIGINS: the session cookie does not reach https://app.example.com, https://wiki.example.com, so a ' +
      'gateway cannot protect an app there: COOKIE_DOMAIN is not set; set it to a domain above ORIGIN and these hosts',
  ]);
  t.strictSame(lines({ ALLOWED_RETURN_ORIGINS: apps, COOKIE_DOMAIN: 'example.com' }), []);
  t.match(lines({ ALLOWED_RETURN_ORIGINS: `${apps},https://app.example.org`, COOKIE_DOMAIN: 'example.com' }), [
    /does not reach https:\/\/app\.example\.org, so .*: they are not at or below COOKIE_DOMAIN \(example\.com\)$/,
  ]);
  t.match(lines({ ALLOWED_RETURN_ORIGINS: 'http://app.example.com', COOKIE_DOMAIN: 'example.com' }), [
    /^ALLOWED_RETURN_ORIGINS: browsers send the session cookie over https only, .* http:\/\/app\.example\.com$/,
  ]);
  t.strictSame(lines({ ALLOWED_RETURN_ORIGINS: 'https://login.example.com:8443' }), [], 'another port');
});

t.test('passwords that can be guessed without limit are reported, in development as well', async (t) => {
  const names = ['LIMIT_PASSWORD_PAIR', 'LIMIT_PASSWORD_USER', 'LIMIT_PASSWORD_ADDRESS'];
  const off = (list: readonly string[]) => Object.fromEntries(list.map((name) => [name, 'off']));
  const warning = [/^LIMIT_PASSWORD_PAIR, LIMIT_PASSWORD_USER, LIMIT_PASSWORD_ADDRESS: all are off/];
  t.match(configWarnings(readConfig(off(names)), NOW), warning);
  t.match(warnings({ USERS_FILE: 'users.json', WEBHOOK_URL: 'https://192.0.2.1/', ...off(names) }), warning);
  for (const name of names)
    t.strictSame(configWarnings(readConfig(off(names.filter((each) => each !== name))), NOW), []);
});
