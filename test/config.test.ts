import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { type Config, readConfig, settingNames } from '../src/config.ts';
import { ConfigError, type Environment } from '../src/environment.ts';
import { paletteOf } from '../src/pages/palette.ts';
import { senderNames } from '../src/sender-config.ts';
import { testApp } from './support/build-app.ts';

const KEY = randomBytes(32).toString('base64');
const OTHER_KEY = randomBytes(32).toString('base64');
const THIRD_KEY = randomBytes(32).toString('base64');

const SIGNALWIRE = {
  SIGNALWIRE_SPACE: 'example.signalwire.com',
  SIGNALWIRE_PROJECT: 'a0b1c2d3-project',
  SIGNALWIRE_TOKEN: 'PT-signalwire-token',
  SIGNALWIRE_NUMBER: '+15550100199',
};
const WEBHOOK = { WEBHOOK_URL: 'https://hook.example.com/otp', WEBHOOK_SECRET: 'sixteen-letters-' };
const PRODUCTION = {
  NODE_ENV: 'production',
  SESSION_KEYS: KEY,
  ORIGIN: 'https://login.example.com',
  USERS_FILE: '/etc/doorcode/users.json',
  ...SIGNALWIRE,
};

function faultsOf(env: Environment): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const urlSafe = (key: string) => Buffer.from(key, 'base64').toString('base64url');

const namesOf = (faults: readonly string[]) => faults.map((fault) => fault.slice(0, fault.indexOf(':')));

t.test('development needs no setting at all', async (t) => {
  const { masterKeys, ...rest } = readConfig({});
  t.strictSame(rest, {
    proxies: { https: undefined, http: undefined, noProxy: '' },
    production: false,
    host: '127.0.0.1',
    port: 3000,
    origin: 'http://127.0.0.1:3000',
    trustProxy: [],
    keysGiven: false,
    cookieDomain: undefined,
    sessionTtlSeconds: 43_200,
    sessionIdleTtlSeconds: undefined,
    loginTtlSeconds: 600,
    otpTtlSeconds: 60,
    otpDigits: 6,
    otpAttempts: 5,
    limits: {
      otpAttempts: 5,
      accountFailures: 10,
      resendCooldownSeconds: 30,
      passwordPair: [{ count: 5, seconds: 900 }],
      passwordUser: [{ count: 50, seconds: 3600 }],
      passwordAddress: [{ count: 100, seconds: 3600 }],
      sendPhone: [
        { count: 5, seconds: 600 },
        { count: 20, seconds: 86_400 },
      ],
      sendAccount: [{ count: 5, seconds: 600 }],
      sendAddress: [{ count: 30, seconds: 3600 }],
      sendKey: [{ count: 1000, seconds: 3600 }],
      sendBlock: [{ count: 30, seconds: 3600 }],
      sendLoginBlock: [
        { count: 1000, seconds: 3600 },
        { count: 2500, seconds: 86_400 },
      ],
      sendBudget: [],
    },
    redisUrl: undefined,
    limitsOnOutage: 'deny',
    users: { kind: 'demo' },
    delivery: ['console'],
    senders: { signalwire: undefined, twilio: undefined, plivo: undefined, webhook: undefined },
    allowedCountries: [],
    deliveryReceipts: false,
    api: { keys: [], testNumbers: new Map(), testNumbersUntilMs: 0 },
    appName: 'doorcode',
    brand: { palette: paletteOf('#2456d6'), logo: undefined },
    allowedOrigins: [],
    allowedReturnOrigins: [],
    assertionKeys: [],
    assertionAudience: undefined,
    logLevel: 'info',
    metricsPort: undefined,
    tracing: undefined,
    tracingWarnings: [],
    maxEventLoopDelayMs: 150,
  });
  t.strictSame(
    masterKeys.map((key) => key.length),
    [32],
  );
  t.notSame(readConfig({}).masterKeys, masterKeys, 'each run has its own key');
});

t.test('everything can be set', async (t) => {
  const { masterKeys, ...rest } = readConfig({
    HTTPS_PROXY: 'http://proxy.example.com:3128',
    ...PRODUCTION,
    ...WEBHOOK,
    HOST: '::',
    PORT: '8080',
    TRUST_PROXY: '192.0.2.0/24, loopback',
    SESSION_KEYS: `${KEY},${OTHER_KEY}`,
    COOKIE_DOMAIN: '.Example.com',
    SESSION_TTL: '3600',
    SESSION_IDLE_TTL: '900',
    LOGIN_TTL: '300',
    OTP_TTL: '120',
    OTP_DIGITS: '8',
    OTP_ATTEMPTS: '3',
    RESEND_COOLDOWN: '0',
    LIMIT_ACCOUNT_FAILURES: 'off',
    LIMIT_PASSWORD_PAIR: '1/10',
    LIMIT_PASSWORD_USER: '2/20',
    LIMIT_PASSWORD_ADDRESS: 'off',
    LIMIT_SEND_PHONE: '3/30, 4/40',
    LIMIT_SEND_ACCOUNT: '5/50',
    LIMIT_SEND_ADDRESS: '6/60',
    LIMIT_SEND_KEY: '7/70',
    LIMIT_SEND_BLOCK: '8/80',
    LIMIT_SEND_LOGIN_BLOCK: '9/90',
    SEND_BUDGET: '9',
    MAX_GUESS_RISK: '0.01',
    REDIS_URL: 'rediss://doorcode:password@redis.example.com:6380/1',
    LIMITS_ON_OUTAGE: 'local',
    DELIVERY: 'webhook, signalwire',
    ALLOWED_COUNTRIES: 'us, GB',
    APP_NAME: 'Zoë & Co.',
    BRAND_COLOR: '#06c',
    LOGO_URL: 'https://www.example.com/logo.svg',
    ALLOWED_ORIGINS: 'https://a.example, https://b.example',
    ALLOWED_RETURN_ORIGINS: 'https://c.example',
    ASSERTION_KEY: THIRD_KEY,
    ASSERTION_AUDIENCE: 'inbox, https://d.example',
    LOG_LEVEL: 'warn',
    METRICS_PORT: '9464',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    MAX_EVENT_LOOP_DELAY: '100',
  });
  t.strictSame(rest, {
    proxies: { https: new URL('http://proxy.example.com:3128'), http: undefined, noProxy: '' },
    production: true,
    host: '::',
    port: 8080,
    origin: 'https://login.example.com',
    trustProxy: ['192.0.2.0/24', 'loopback'],
    keysGiven: true,
    cookieDomain: 'example.com',
    sessionTtlSeconds: 3600,
    sessionIdleTtlSeconds: 900,
    loginTtlSeconds: 300,
    otpTtlSeconds: 120,
    otpDigits: 8,
    otpAttempts: 3,
    limits: {
      otpAttempts: 3,
      accountFailures: null,
      resendCooldownSeconds: 0,
      passwordPair: [{ count: 1, seconds: 10 }],
      passwordUser: [{ count: 2, seconds: 20 }],
      passwordAddress: [],
      sendPhone: [
        { count: 3, seconds: 30 },
        { count: 4, seconds: 40 },
      ],
      sendAccount: [{ count: 5, seconds: 50 }],
      sendAddress: [{ count: 6, seconds: 60 }],
      sendKey: [{ count: 7, seconds: 70 }],
      sendBlock: [{ count: 8, seconds: 80 }],
      sendLoginBlock: [{ count: 9, seconds: 90 }],
      sendBudget: [{ count: 9, seconds: 3600 }],
    },
    redisUrl: 'rediss://doorcode:password@redis.example.com:6380/1',
    limitsOnOutage: 'local',
    users: { kind: 'file', path: '/etc/doorcode/users.json' },
    delivery: ['webhook', 'signalwire'],
    senders: {
      signalwire: {
        host: 'example.signalwire.com',
        account: 'a0b1c2d3-project',
        token: 'PT-signalwire-token',
        number: '+15550100199',
        signingKey: undefined,
      },
      twilio: undefined,
      plivo: undefined,
      webhook: { url: 'https://hook.example.com/otp', secret: 'sixteen-letters-' },
    },
    allowedCountries: ['US', 'GB'],
    deliveryReceipts: true,
    api: { keys: [], testNumbers: new Map(), testNumbersUntilMs: 0 },
    appName: 'Zoë & Co.',
    brand: { palette: paletteOf('#0066cc'), logo: { url: 'https://www.example.com/logo.svg' } },
    allowedOrigins: ['https://a.example', 'https://b.example'],
    allowedReturnOrigins: ['https://c.example'],
    assertionKeys: [Buffer.from(THIRD_KEY, 'base64')],
    assertionAudience: ['inbox', 'https://d.example'],
    logLevel: 'warn',
    metricsPort: 9464,
    tracing: {
      url: 'http://127.0.0.1:4318/v1/traces',
      protocol: 'http/json',
      headers: [],
      timeoutMs: 10_000,
      compression: 'none',
      tls: {},
    },
    tracingWarnings: [],
    maxEventLoopDelayMs: 100,
  });
  t.strictSame(
    masterKeys.map((key) => key.toString('base64')),
    [KEY, OTHER_KEY],
  );
});

t.test('an env file that lists every name without a value is no env file', async (t) => {
  const { masterKeys: _, ...empty } = readConfig(Object.fromEntries(settingNames().map((name) => [name, ''])));
  const { masterKeys: __, ...none } = readConfig({});
  t.strictSame(empty, none);
});

t.test('the names of the settings are known', async (t) => {
  t.strictSame(settingNames().sort(), [
    'ALLOWED_COUNTRIES',
    'ALLOWED_ORIGINS',
    'ALLOWED_RETURN_ORIGINS',
    'ALL_PROXY',
    'API_KEYS',
    'APP_NAME',
    'ASSERTION_AUDIENCE',
    'ASSERTION_KEY',
    'BRAND_COLOR',
    'COOKIE_DOMAIN',
    'DELIVERY',
    'DELIVERY_RECEIPTS',
    'HOST',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'LIMITS_ON_OUTAGE',
    'LIMIT_ACCOUNT_FAILURES',
    'LIMIT_PASSWORD_ADDRESS',
    'LIMIT_PASSWORD_PAIR',
    'LIMIT_PASSWORD_USER',
    'LIMIT_SEND_ACCOUNT',
    'LIMIT_SEND_ADDRESS',
    'LIMIT_SEND_BLOCK',
    'LIMIT_SEND_KEY',
    'LIMIT_SEND_LOGIN_BLOCK',
    'LIMIT_SEND_PHONE',
    'LOGIN_TTL',
    'LOGO_FILE',
    'LOGO_URL',
    'LOG_LEVEL',
    'MAX_EVENT_LOOP_DELAY',
    'MAX_GUESS_RISK',
    'METRICS_PORT',
    'NODE_ENV',
    'NO_PROXY',
    'ORIGIN',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_SDK_DISABLED',
    'OTEL_TRACES_EXPORTER',
    'OTP_ATTEMPTS',
    'OTP_DIGITS',
    'OTP_TTL',
    'PLIVO_AUTH_ID',
    'PLIVO_AUTH_TOKEN',
    'PLIVO_HOST',
    'PLIVO_NUMBER',
    'PORT',
    'REDIS_URL',
    'RESEND_COOLDOWN',
    'SEND_BUDGET',
    'SESSION_IDLE_TTL',
    'SESSION_KEYS',
    'SESSION_TTL',
    'SIGNALWIRE_NUMBER',
    'SIGNALWIRE_PROJECT',
    'SIGNALWIRE_SIGNING_KEY',
    'SIGNALWIRE_SPACE',
    'SIGNALWIRE_TOKEN',
    'TEST_NUMBERS',
    'TEST_NUMBERS_UNTIL',
    'TRUST_PROXY',
    'TWILIO_ACCOUNT_SID',
    'TWILIO_AUTH_TOKEN',
    'TWILIO_HOST',
    'TWILIO_NUMBER',
    'USERS_FILE',
    'USERS_TOKEN',
    'USERS_URL',
    'WEBHOOK_SECRET',
    'WEBHOOK_URL',
  ]);
});

t.test('production names all that it needs at once', async (t) => {
  const faults = faultsOf({ NODE_ENV: 'production' });
  t.strictSame(namesOf(faults).sort(), ['DELIVERY', 'ORIGIN', 'SESSION_KEYS', 'USERS_FILE']);
  for (const fault of faults) t.match(fault, 'is missing');
  t.throws(() => readConfig({ NODE_ENV: 'production' }), { name: 'ConfigError', message: /has 4 faults:\n {2}/ });
});

t.test('production listens to everybody', async (t) => {
  t.match(readConfig(PRODUCTION), { production: true, host: '0.0.0.0', port: 3000, delivery: ['signalwire'] });
});

t.test('what is configured is what is used to send', async (t) => {
  const sent: [Environment, readonly string[]][] = [
    [{}, ['console']],
    [SIGNALWIRE, ['signalwire']],
    [WEBHOOK, ['webhook']],
    [{ ...WEBHOOK, ...SIGNALWIRE }, ['signalwire', 'webhook']],
    [{ ...SIGNALWIRE, DELIVERY: 'console' }, ['console']],
    [{ ...SIGNALWIRE, DELIVERY: 'signalwire,console' }, ['signalwire', 'console']],
    [{ ...WEBHOOK, ...SIGNALWIRE, DELIVERY: 'webhook,signalwire' }, ['webhook', 'signalwire']],
  ];
  for (const [env, delivery] of sent) t.strictSame(readConfig(env).delivery, delivery, JSON.stringify(env));
  t.strictSame([...senderNames].sort(), ['console', 'plivo', 'signalwire', 'twilio', 'webhook']);
});

t.test('users come from a file, from upstream, or are the demo', async (t) => {
  t.strictSame(readConfig({ USERS_FILE: 'users.json' }).users, { kind: 'file', path: 'users.json' });
  const upstream = { USERS_URL: 'https://users.example.com/check', USERS_TOKEN: 'token' };
  t.strictSame(readConfig(upstream).users, {
    kind: 'upstream',
    url: 'https://users.example.com/check',
    token: 'token',
  });
  t.match(readConfig({ USERS_URL: 'http://127.0.0.1:1' }).users, { kind: 'upstream', token: undefined });
  const { USERS_FILE: _, ...withoutUsers } = PRODUCTION;
  t.match(readConfig({ ...withoutUsers, ...upstream }).users, { kind: 'upstream' });
});

const spaced = (name: string, value: string) => [{ [name]: value }, name] as const;

t.test('each fault is told by name, and is the only one', async (t) => {
  const { SIGNALWIRE_TOKEN: _token, ...withoutToken } = SIGNALWIRE;
  const { USERS_FILE: _file, ...withoutUsers } = PRODUCTION;
  const table: (readonly [Environment, string])[] = [
    spaced('NODE_ENV', 'Production'),
    spaced('NODE_ENV', 'staging'),
    spaced('PORT', '-1'),
    spaced('PORT', '65536'),
    spaced('PORT', 'http'),
    spaced('ORIGIN', 'login.example.com'),
    spaced('ORIGIN', 'https://login.example.com/path'),
    spaced('ORIGIN', 'https://a.example,https://b.example'),
    [{ ...PRODUCTION, ORIGIN: 'http://login.example.com' }, 'ORIGIN'],
    [{ ...PRODUCTION, ORIGIN: 'login.example.com' }, 'ORIGIN'],
    [{ ...PRODUCTION, ORIGIN: ',' }, 'ORIGIN'],
    spaced('TRUST_PROXY', 'true'),
    spaced('TRUST_PROXY', '1'),
    spaced('TRUST_PROXY', 'dead'),
    spaced('TRUST_PROXY', '10.0.0'),
    spaced('TRUST_PROXY', '192.0.2.256'),
    spaced('TRUST_PROXY', '192.0.2.0/0'),
    spaced('TRUST_PROXY', '192.0.2.0/33'),
    spaced('TRUST_PROXY', '192.0.2.0/'),
    spaced('TRUST_PROXY', '192.0.2.0/24/8'),
    spaced('TRUST_PROXY', '192.0.2.0/255.0.0.0'),
    spaced('TRUST_PROXY', 'fd00::/129'),
    spaced('TRUST_PROXY', 'gateway.internal'),
    spaced('TRUST_PROXY', 'loopback,everybody'),
    spaced('SESSION_KEYS', ','),
    spaced('SESSION_KEYS', 'secret'),
    spaced('SESSION_KEYS', randomBytes(31).toString('base64')),
    spaced('SESSION_KEYS', randomBytes(33).toString('base64')),
    spaced('SESSION_KEYS', randomBytes(32).toString('hex')),
    spaced('SESSION_KEYS', `${KEY},${KEY}`),
    spaced('SESSION_KEYS', `${KEY},${KEY.replace('=', '')}`),
    spaced('SESSION_KEYS', `${'/'.repeat(42)}8=,${'_'.repeat(42)}8`),
    [{ ...PRODUCTION, SESSION_KEYS: ',' }, 'SESSION_KEYS'],
    spaced('SESSION_KEYS_FILE', '/nowhere/at/all'),
    [{ ...PRODUCTION, COOKIE_DOMAIN: 'other.example' }, 'COOKIE_DOMAIN'],
    [{ ...PRODUCTION, COOKIE_DOMAIN: 'a.login.example.com' }, 'COOKIE_DOMAIN'],
    [{ ...PRODUCTION, COOKIE_DOMAIN: 'in.example.com' }, 'COOKIE_DOMAIN'],
    [{ ...PRODUCTION, COOKIE_DOMAIN: '.' }, 'COOKIE_DOMAIN'],
    [{ ...PRODUCTION, COOKIE_DOMAIN: 'com' }, 'COOKIE_DOMAIN'],
    [{ ...PRODUCTION, COOKIE_DOMAIN: '.com' }, 'COOKIE_DOMAIN'],
    [{ ...PRODUCTION, COOKIE_DOMAIN: 'com.' }, 'COOKIE_DOMAIN'],
    [{ ...PRODUCTION, COOKIE_DOMAIN: 'example.com; Path=/' }, 'COOKIE_DOMAIN'],
    spaced('COOKIE_DOMAIN', '0.0.1'),
    spaced('SESSION_TTL', '59'),
    spaced('SESSION_TTL', '31536001'),
    spaced('LOGIN_TTL', '29'),
    spaced('LOGIN_TTL', '86401'),
    [{ LOGIN_TTL: '60', OTP_TTL: '61' }, 'LOGIN_TTL'],
    spaced('OTP_TTL', '29'),
    spaced('OTP_TTL', '601'),
    spaced('OTP_DIGITS', '5'),
    spaced('OTP_DIGITS', '11'),
    spaced('OTP_ATTEMPTS', '0'),
    spaced('OTP_ATTEMPTS', 'off'),
    // In one go, a code of six digits could be guessed with a chance of more than one in a thousand.
    spaced('OTP_ATTEMPTS', '1001'),
    spaced('OTP_ATTEMPTS', '1000001'),
    [
      { LIMIT_ACCOUNT_FAILURES: 'off', LIMIT_SEND_PHONE: 'off', LIMIT_SEND_ACCOUNT: 'off', RESEND_COOLDOWN: '0' },
      'OTP_ATTEMPTS',
    ],
    // No limit for a day: 3,620 guesses.
    [{ LIMIT_SEND_PHONE: '5/600' }, 'OTP_ATTEMPTS'],
    spaced('OTP_ATTEMPTS', '26'),
    [{ MAX_GUESS_RISK: '0.00001' }, 'OTP_ATTEMPTS'],
    spaced('MAX_EVENT_LOOP_DELAY', '19'),
    spaced('MAX_EVENT_LOOP_DELAY', 'on'),
    spaced('METRICS_PORT', '3000'),
    spaced('METRICS_PORT', '65536'),
    spaced('OTEL_EXPORTER_OTLP_ENDPOINT', '127.0.0.1:4318'),
    spaced('MAX_GUESS_RISK', '0'),
    spaced('MAX_GUESS_RISK', '1.5'),
    spaced('MAX_GUESS_RISK', '-1'),
    spaced('MAX_GUESS_RISK', 'off'),
    spaced('LIMIT_PASSWORD_PAIR', '5'),
    spaced('LIMIT_PASSWORD_USER', '5/0'),
    spaced('LIMIT_PASSWORD_ADDRESS', '0/5'),
    spaced('LIMIT_SEND_PHONE', '5/600,'),
    spaced('LIMIT_SEND_ACCOUNT', '5/10m'),
    spaced('LIMIT_SEND_ADDRESS', 'none'),
    spaced('LIMIT_SEND_KEY', '-5/600'),
    spaced('LIMIT_SEND_BLOCK', '5/600;20/86400'),
    spaced('SEND_BUDGET', '0'),
    spaced('SEND_BUDGET', '5/600'),
    spaced('SEND_BUDGET', '1e3'),
    spaced('REDIS_URL', 'redis.example.com'),
    spaced('REDIS_URL', 'http://redis.example.com'),
    spaced('REDIS_URL', 'redis://host:99999'),
    spaced('LIMITS_ON_OUTAGE', 'allow'),
    spaced('RESEND_COOLDOWN', '-1'),
    spaced('RESEND_COOLDOWN', '3601'),
    spaced('LIMIT_ACCOUNT_FAILURES', '0'),
    spaced('LIMIT_ACCOUNT_FAILURES', '1001'),
    spaced('LIMIT_ACCOUNT_FAILURES', 'OFF'),
    [{ USERS_FILE: 'users.json', USERS_URL: 'https://users.example.com' }, 'USERS_FILE'],
    spaced('USERS_URL', 'users.example.com'),
    spaced('USERS_URL', 'https://me:secret@users.example.com'),
    [{ ...withoutUsers, USERS_URL: 'https://users.example.com' }, 'USERS_TOKEN'],
    [withoutUsers, 'USERS_FILE'],
    spaced('DELIVERY', 'pigeon'),
    spaced('DELIVERY', 'console,console'),
    spaced('DELIVERY', 'Console'),
    spaced('DELIVERY', 'console signalwire'),
    [{ ...SIGNALWIRE, DELIVERY: 'signalwire,pigeon' }, 'DELIVERY'],
    [{ ...PRODUCTION, DELIVERY: 'console' }, 'DELIVERY'],
    [{ ...PRODUCTION, DELIVERY: 'signalwire,console' }, 'DELIVERY'],
    [{ DELIVERY: 'signalwire' }, 'SIGNALWIRE_SPACE'],
    [{ DELIVERY: 'webhook' }, 'WEBHOOK_URL'],
    [withoutToken, 'SIGNALWIRE_TOKEN'],
    [{ ...SIGNALWIRE, SIGNALWIRE_TOKEN: '' }, 'SIGNALWIRE_TOKEN'],
    [{ ...SIGNALWIRE, SIGNALWIRE_SPACE: 'https://example.signalwire.com' }, 'SIGNALWIRE_SPACE'],
    [{ ...SIGNALWIRE, SIGNALWIRE_SPACE: 'example.signalwire.com/api' }, 'SIGNALWIRE_SPACE'],
    [{ ...SIGNALWIRE, SIGNALWIRE_SPACE: 'me@example.signalwire.com' }, 'SIGNALWIRE_SPACE'],
    [{ ...SIGNALWIRE, SIGNALWIRE_SPACE: 'exam ple' }, 'SIGNALWIRE_SPACE'],
    [{ ...SIGNALWIRE, SIGNALWIRE_SPACE: 'example.signalwire.com:443:443' }, 'SIGNALWIRE_SPACE'],
    [{ ...SIGNALWIRE, SIGNALWIRE_PROJECT: '../../x' }, 'SIGNALWIRE_PROJECT'],
    [{ ...SIGNALWIRE, SIGNALWIRE_NUMBER: '5550100199' }, 'SIGNALWIRE_NUMBER'],
    [{ ...SIGNALWIRE, SIGNALWIRE_NUMBER: '+1 555 010 0199' }, 'SIGNALWIRE_NUMBER'],
    [{ ...WEBHOOK, WEBHOOK_SECRET: 'fifteen-letters' }, 'WEBHOOK_SECRET'],
    [{ WEBHOOK_URL: WEBHOOK.WEBHOOK_URL }, 'WEBHOOK_SECRET'],
    [{ ...WEBHOOK, WEBHOOK_URL: 'hook.example.com' }, 'WEBHOOK_URL'],
    spaced('APP_NAME', 'x'.repeat(31)),
    spaced('APP_NAME', 'a#b'),
    spaced('APP_NAME', 'a@b'),
    spaced('APP_NAME', 'a\nb'),
    spaced('APP_NAME', 'a\u200eb'),
    spaced('ALLOWED_ORIGINS', '*'),
    spaced('ALLOWED_ORIGINS', 'null'),
    spaced('ALLOWED_ORIGINS', 'https://a.example/path'),
    spaced('ALLOWED_RETURN_ORIGINS', 'https://*.example'),
    spaced('ALLOWED_RETURN_ORIGINS', 'javascript:alert(1)'),
    spaced('ASSERTION_KEY', ','),
    spaced('ASSERTION_KEY', 'secret'),
    spaced('ASSERTION_KEY', randomBytes(31).toString('base64')),
    spaced('ASSERTION_KEY', randomBytes(64).toString('base64')),
    spaced('ASSERTION_KEY', randomBytes(32).toString('hex')),
    spaced('ASSERTION_KEY', `${KEY} ${KEY}`),
    spaced('ASSERTION_KEY_FILE', '/nowhere/at/all'),
    [{ SESSION_KEYS: `${OTHER_KEY},${KEY}`, ASSERTION_KEY: KEY }, 'ASSERTION_KEY'],
    [{ SESSION_KEYS: KEY, ASSERTION_KEY: `${OTHER_KEY},${urlSafe(KEY)}` }, 'ASSERTION_KEY'],
    spaced('ASSERTION_AUDIENCE', ','),
    spaced('ASSERTION_AUDIENCE', 'an app'),
    spaced('ASSERTION_AUDIENCE', 'https://'),
    spaced('ASSERTION_AUDIENCE', 'inbox,:'),
    spaced('ASSERTION_AUDIENCE', 'a\u200eb'),
    spaced('ASSERTION_AUDIENCE', 'x'.repeat(256)),
    spaced('ASSERTION_AUDIENCE', 'inbox, inbox'),
    spaced('LOG_LEVEL', 'verbose'),
    spaced('LOG_LEVEL', 'INFO'),
  ];
  for (const [env, name] of table) {
    t.strictSame(namesOf(faultsOf(env)), [name], JSON.stringify(env));
  }
});

t.test('SignalWire that is half configured names what is missing', async (t) => {
  for (const present of Object.keys(SIGNALWIRE) as (keyof typeof SIGNALWIRE)[]) {
    const faults = faultsOf({ [present]: SIGNALWIRE[present] });
    const missing = Object.keys(SIGNALWIRE).filter((name) => name !== present);
    t.strictSame(namesOf(faults), missing, present);
    for (const fault of faults) t.match(fault, 'SignalWire needs all four', present);
  }
});

t.test('several faults are all told', async (t) => {
  const faults = faultsOf({ PORT: 'x', OTP_DIGITS: '3', LOG_LEVEL: 'x', APP_NAME: '#', SESSION_KEYS: 'x' });
  t.strictSame(namesOf(faults).sort(), ['APP_NAME', 'LOG_LEVEL', 'OTP_DIGITS', 'PORT', 'SESSION_KEYS']);
});

t.test('the bounds themselves are good', async (t) => {
  const good: Record<string, string>[] = [
    { PORT: '0' },
    { PORT: '65535' },
    { OTP_TTL: '30', LOGIN_TTL: '30' },
    { OTP_TTL: '600', LOGIN_TTL: '600' },
    { LOGIN_TTL: '86400' },
    { OTP_DIGITS: '10' },
    { OTP_ATTEMPTS: '1' },
    { OTP_ATTEMPTS: '25' },
    { OTP_ATTEMPTS: '1000000', MAX_GUESS_RISK: '1' },
    { LIMIT_ACCOUNT_FAILURES: 'off' },
    { LIMIT_SEND_PHONE: '20/86400', LIMIT_SEND_ACCOUNT: 'off', LIMIT_SEND_ADDRESS: 'off', SEND_BUDGET: 'off' },
    { MAX_GUESS_RISK: '.001' },
    { RESEND_COOLDOWN: '3600' },
    { SESSION_TTL: '60' },
    { SESSION_TTL: '31536000' },
    { LIMIT_ACCOUNT_FAILURES: '1' },
    { LIMIT_ACCOUNT_FAILURES: '1000' },
    { APP_NAME: 'x'.repeat(30) },
    { ASSERTION_AUDIENCE: 'x'.repeat(255) },
    { ASSERTION_AUDIENCE: 'urn:example:inbox' },
    { NODE_ENV: 'test' },
    { NODE_ENV: 'development' },
    { LOG_LEVEL: 'silent' },
    { ...SIGNALWIRE, SIGNALWIRE_SPACE: '127.0.0.1:8443' },
    { ...SIGNALWIRE, SIGNALWIRE_SPACE: 'Example.SignalWire.com' },
    { ...SIGNALWIRE, SIGNALWIRE_SPACE: 'example.signalwire.com:443' },
    { WEBHOOK_SECRET: WEBHOOK.WEBHOOK_SECRET },
  ];
  for (const env of good) t.strictSame(faultsOf(env), [], JSON.stringify(env));
});

t.test('no fault repeats a secret', async (t) => {
  const secret = 'Zm9yIHlvdXIgZXllcyBvbmx5';
  const folder = t.testdir({ secret: `${secret}\n` });
  const environments: Environment[] = [
    { SESSION_KEYS: secret },
    { SESSION_KEYS: `${KEY},${secret}` },
    { SESSION_KEYS: `${KEY},${KEY}` },
    { SESSION_KEYS_FILE: join(folder, 'secret') },
    { SESSION_KEYS: KEY, SESSION_KEYS_FILE: join(folder, 'secret') },
    { ASSERTION_KEY: `${KEY},${secret}` },
    { ASSERTION_KEY: `${KEY},${KEY}` },
    { ASSERTION_KEY: KEY, SESSION_KEYS: KEY },
    { ASSERTION_KEY: secret, ASSERTION_KEY_FILE: join(folder, 'secret') },
    { SIGNALWIRE_TOKEN: secret },
    { WEBHOOK_URL: WEBHOOK.WEBHOOK_URL, WEBHOOK_SECRET: secret.slice(0, 15) },
    { WEBHOOK_URL: `https://me:${secret}@hook.example.com`, WEBHOOK_SECRET: secret },
    { USERS_URL: `https://me:${secret}@users.example.com`, USERS_TOKEN: secret },
    { USERS_TOKEN: secret, USERS_TOKEN_FILE: join(folder, 'secret') },
    { ORIGIN: `https://me:${secret}@login.example.com` },
    { REDIS_URL: `redis://:${secret}@a,b` },
    { REDIS_URL: `redis://:%zz${secret}@a` },
    { REDIS_URL: `https://:${secret}@a` },
  ];
  for (const env of environments) {
    const text = faultsOf(env).join('\n');
    t.not(text, '', JSON.stringify(Object.keys(env)));
    t.notOk(text.includes(secret.slice(0, 15)), text);
    t.notOk(text.includes(KEY), text);
  }
});

t.test('keys are read from lines, from commas and in either alphabet of base64', async (t) => {
  const folder = t.testdir({ keys: `${KEY}\n${OTHER_KEY}\n` });
  const written: [Environment, string[]][] = [
    [{ SESSION_KEYS: KEY }, [KEY]],
    [{ SESSION_KEYS: urlSafe(KEY) }, [KEY]],
    [{ SESSION_KEYS: ` ${OTHER_KEY} , ${KEY}, ` }, [OTHER_KEY, KEY]],
    [{ SESSION_KEYS_FILE: join(folder, 'keys') }, [KEY, OTHER_KEY]],
  ];
  for (const [env, keys] of written) {
    const config = readConfig(env);
    t.strictSame(
      config.masterKeys.map((key) => key.toString('base64')),
      keys,
    );
    t.equal(config.keysGiven, true);
  }
});

t.test('keys of assertions are read like the others, in their order, and ORIGIN is whom they are for', async (t) => {
  const folder = t.testdir({ keys: `${OTHER_KEY}\n${KEY}\n` });
  const written: [Environment, string[]][] = [
    [{ ASSERTION_KEY: KEY }, [KEY]],
    [{ ASSERTION_KEY: `${urlSafe(OTHER_KEY)} ${KEY},`, SESSION_KEYS: THIRD_KEY }, [OTHER_KEY, KEY]],
    [{ ASSERTION_KEY_FILE: join(folder, 'keys') }, [OTHER_KEY, KEY]],
  ];
  for (const [env, keys] of written) {
    t.strictSame(
      readConfig(env).assertionKeys.map((key) => key.toString('base64')),
      keys,
    );
  }
  t.equal(readConfig(PRODUCTION).assertionAudience, undefined);
});

t.test('secrets of senders and users are read from files', async (t) => {
  const folder = t.testdir({ token: 'from-a-file-of-its-own\n' });
  const file = join(folder, 'token');
  const { SIGNALWIRE_TOKEN: _, ...withoutToken } = SIGNALWIRE;
  t.match(readConfig({ ...withoutToken, SIGNALWIRE_TOKEN_FILE: file }).senders.signalwire, {
    token: 'from-a-file-of-its-own',
  });
  t.match(readConfig({ WEBHOOK_URL: WEBHOOK.WEBHOOK_URL, WEBHOOK_SECRET_FILE: file }).senders.webhook, {
    secret: 'from-a-file-of-its-own',
  });
  t.match(readConfig({ USERS_URL: 'https://users.example.com', USERS_TOKEN_FILE: file }).users, {
    token: 'from-a-file-of-its-own',
  });
});

t.test('the origin follows the port, unless it is told', async (t) => {
  const origin = (env: Environment) => readConfig(env).origin;
  t.equal(origin({ PORT: '8080' }), 'http://127.0.0.1:8080');
  t.equal(origin({ PORT: '8080', ORIGIN: 'http://localhost:9000/' }), 'http://localhost:9000');
  t.equal(origin({ ORIGIN: 'https://Login.Example.Com:443' }), 'https://login.example.com');
});

t.test('cookies are shared with the host or what is above it', async (t) => {
  const domain = (text: string) => readConfig({ ...PRODUCTION, COOKIE_DOMAIN: text }).cookieDomain;
  t.equal(domain('login.example.com'), 'login.example.com');
  t.equal(domain('example.com'), 'example.com');
  t.equal(domain('.EXAMPLE.com'), 'example.com');
  t.equal(readConfig({ ORIGIN: 'http://localhost:3000', COOKIE_DOMAIN: 'localhost' }).cookieDomain, 'localhost');
  t.equal(readConfig({ ORIGIN: 'http://192.0.2.1', COOKIE_DOMAIN: '192.0.2.1' }).cookieDomain, '192.0.2.1');
});

t.test('what is accepted as a proxy is accepted by the server, too', async (t) => {
  const good = [
    '192.0.2.1',
    '192.0.2.0/24',
    '0.0.0.0/1',
    '192.0.2.1/32',
    'fd00::/8',
    '::1',
    '::1/128',
    '::ffff:192.0.2.1',
  ];
  for (const text of [...good, 'loopback', 'linklocal', 'uniquelocal', 'loopback, 192.0.2.0/24,fd00::/8']) {
    const config: Config = readConfig({ TRUST_PROXY: text });
    t.strictSame(config.trustProxy, text.split(/, ?/), text);
    await t.resolves(testApp({ env: { TRUST_PROXY: text } }), text);
  }
});

t.test('what can be asked for with API keys has a guess budget of its own', async (t) => {
  const env = {
    LIMIT_SEND_PHONE: 'off',
    LIMIT_SEND_ACCOUNT: '20/86400',
    RESEND_COOLDOWN: '0',
    LIMIT_SEND_BLOCK: 'off',
  };
  t.strictSame(faultsOf(env), [], 'each account is bounded');
  const API_KEYS = `shop:${'a'.repeat(64)}`;
  t.match(faultsOf({ ...env, API_KEYS }), [/^OTP_ATTEMPTS: codes could be guessed/], 'numbers are not');
  t.strictSame(faultsOf({ ...env, API_KEYS, LIMIT_SEND_BLOCK: '20/86400' }), []);
});

t.test('an idle time is shorter than the life of a session, or off', async (t) => {
  t.equal(readConfig({ SESSION_IDLE_TTL: 'off' }).sessionIdleTtlSeconds, undefined);
  t.equal(readConfig({ SESSION_IDLE_TTL: '43200' }).sessionIdleTtlSeconds, 43_200);
  for (const value of ['59', '0', 'on', '1h', '-60', '43201']) {
    t.strictSame(namesOf(faultsOf({ SESSION_IDLE_TTL: value })), ['SESSION_IDLE_TTL'], value);
  }
});

t.test('what is set for blocks holds for logins too, unless they have a limit of their own', async (t) => {
  const limitsOf = (env: Record<string, string>) => readConfig({ NODE_ENV: 'test', ...env }).limits;
  t.strictSame(limitsOf({ LIMIT_SEND_BLOCK: '3/3600' }).sendLoginBlock, [{ count: 3, seconds: 3600 }]);
  t.strictSame(limitsOf({ LIMIT_SEND_BLOCK: 'off' }).sendLoginBlock, []);
  const both = { LIMIT_SEND_BLOCK: '3/3600', LIMIT_SEND_LOGIN_BLOCK: '7/70' };
  t.strictSame(limitsOf(both).sendLoginBlock, [{ count: 7, seconds: 70 }]);
});

t.test('international names are read in every spelling and kept as punycode', async (t) => {
  for (const name of ['bücher.example', 'BÜCHER.example', 'xn--bcher-kva.example', '.bücher.example']) {
    const host = name.replace(/^\./, '');
    const config = readConfig({
      ORIGIN: `https://login.${host}`,
      COOKIE_DOMAIN: name,
      ALLOWED_ORIGINS: `https://app.${host}`,
      ALLOWED_RETURN_ORIGINS: `https://app.${host}`,
    });
    t.match(config, {
      origin: 'https://login.xn--bcher-kva.example',
      cookieDomain: 'xn--bcher-kva.example',
      allowedOrigins: ['https://app.xn--bcher-kva.example'],
      allowedReturnOrigins: ['https://app.xn--bcher-kva.example'],
    });
  }
});
