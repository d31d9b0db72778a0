import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { type ApiSettings, readApi } from './api-config.ts';
import { type Brand, readBrand } from './brand-config.ts';
import { ConfigError, type Environment, EnvironmentReader } from './environment.ts';
import type { LimitSettings } from './limits/policy.ts';
import { parseRedisUrl } from './limits/redis-url.ts';
import { guessBudget, isWithin, percent } from './limits/risk.ts';
import { parseWindows, type Window } from './limits/window.ts';
import { parseUrl } from './parse-url.ts';
import { type ProxySettings, readProxies } from './proxy-config.ts';
import { readCountries, readDelivery, readSenders, type SenderName, type SenderSettings } from './sender-config.ts';
import { readTracing, type TracingSettings } from './tracing-config.ts';

/** Everything there is to set, read once at start. Durations are seconds. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Scheme, host and port by which users reach us. */
  readonly origin: string;
  /** Addresses and networks whose X-Forwarded-* headers are believed. */
  readonly trustProxy: readonly string[];
  /** 32 bytes each; the first seals, all open. */
  readonly masterKeys: readonly Buffer[];
  /** False when the keys were made for this run, as in development. */
  readonly keysGiven: boolean;
  readonly cookieDomain: string | undefined;
  readonly sessionTtlSeconds: number;
  /** After how long without use a session ends as well; undefined is never. */
  readonly sessionIdleTtlSeconds: number | undefined;
  readonly loginTtlSeconds: number;
  readonly otpTtlSeconds: number;
  readonly otpDigits: number;
  readonly otpAttempts: number;
  readonly limits: Omit<LimitSettings, 'challengeTtlSeconds'>;
  /** Where counts are shared; undefined counts in this process. */
  readonly redisUrl: string | undefined;
  readonly limitsOnOutage: 'deny' | 'local';
  readonly users:
    | { readonly kind: 'demo' }
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'upstream'; readonly url: string; readonly token: string | undefined };
  /** Senders in the order in which they are tried. */
  readonly delivery: readonly SenderName[];
  readonly senders: SenderSettings;
  /** Proxies for outgoing requests. */
  readonly proxies: ProxySettings;
  /** ISO 3166-1 alpha-2 of the countries that are sent to; none is every country. */
  readonly allowedCountries: readonly string[];
  /** Whether providers are asked to say what became of messages. */
  readonly deliveryReceipts: boolean;
  readonly api: ApiSettings;
  readonly appName: string;
  readonly brand: Brand;
  /** Origins of web apps that may call us from a browser. */
  readonly allowedOrigins: readonly string[];
  /** Origins, besides our own, that a person may be sent to once signed in. */
  readonly allowedReturnOrigins: readonly string[];
  /** Ed25519 seeds of 32 bytes each; the first signs assertions, all are published. None: nothing is signed. */
  readonly assertionKeys: readonly Buffer[];
  /** The claim `aud` of all assertions; undefined: the origin of the app that the gateway asks about. */
  readonly assertionAudience: readonly string[] | undefined;
  readonly logLevel: string;
  /** Where metrics are told, 0 for any port; undefined is nowhere. */
  readonly metricsPort: number | undefined;
  readonly tracing: TracingSettings | undefined;
  readonly tracingWarnings: readonly string[];
  /** Later than this, the event loop is overloaded; undefined is never. */
  readonly maxEventLoopDelayMs: number | undefined;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const MASTER_KEY_BYTES = 32;

/**
 * Reads the configuration from the environment. In development (`NODE_ENV` is not `production`) everything has a
 * default; production must be told its keys, origin, users and sender.
 *
 * @throws ConfigError that names every fault at once
 */
export function readConfig(env: Environment): Config {
  const { config, faults } = examineConfig(env);
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

/**
 * Reads the configuration like {@link readConfig}, faults or not, for a caller that looks for more faults in what the
 * settings name. Settings with a fault have their defaults; nobody may be served with such a configuration.
 */
export function examineConfig(env: Environment): { readonly config: Config; readonly faults: readonly string[] } {
  const reader = new EnvironmentReader(env);
  const config = read(reader);
  reader.checkSpelling();
  return { config, faults: reader.faults };
}

/** The name of every setting, in the order of the documentation. */
export function settingNames(): string[] {
  const reader = new EnvironmentReader({});
  read(reader);
  return [...reader.names];
}

function read(env: EnvironmentReader): Config {
  const production = env.oneOf('NODE_ENV', ['production', 'development', 'test'], 'development') === 'production';
  const senders = readSenders(env);
  const users = readUsers(env, production);
  const delivery = readDelivery(env, production, senders);
  const host = readHost(env, production);
  const port = env.integer('PORT', 3000, 0, 65_535);
  const origin = readOrigin(env, production, port);
  const otpTtlSeconds = env.integer('OTP_TTL', 60, 30, 600);
  const loginTtlSeconds = env.integer('LOGIN_TTL', 600, 30, 86_400);
  if (loginTtlSeconds < otpTtlSeconds) env.fault('LOGIN_TTL', 'must not be shorter than OTP_TTL');
  const otpDigits = env.integer('OTP_DIGITS', 6, 6, 10);
  const sessionKeys = readMasterKeys(env, production);
  const sessionTtlSeconds = env.integer('SESSION_TTL', 43_200, 60, 31_536_000);
  const limits = readLimits(env);
  const api = readApi(env, otpDigits);
  checkRisk(env, limits, otpDigits, api.keys.length > 0);

  return {
    production,
    host,
    port,
    origin,
    trustProxy: readTrustProxy(env),
    ...sessionKeys,
    cookieDomain: readCookieDomain(env, origin),
    sessionTtlSeconds,
    sessionIdleTtlSeconds: readIdleTtl(env, sessionTtlSeconds),
    loginTtlSeconds,
    otpTtlSeconds,
    otpDigits,
    otpAttempts: limits.otpAttempts,
    limits,
    redisUrl: readRedisUrl(env),
    limitsOnOutage: env.oneOf('LIMITS_ON_OUTAGE', ['deny', 'local'], 'deny'),
    users,
    delivery,
    senders,
    proxies: readProxies(env),
    allowedCountries: readCountries(env),
    // Providers refuse addresses that they cannot reach, which those of development are.
    deliveryReceipts:
      env.oneOf('DELIVERY_RECEIPTS', ['on', 'off'], origin.startsWith('https:') ? 'on' : 'off') === 'on',
    api,
    appName: readAppName(env),
    brand: readBrand(env),
    allowedOrigins: env.origins('ALLOWED_ORIGINS'),
    allowedReturnOrigins: env.origins('ALLOWED_RETURN_ORIGINS'),
    assertionKeys: readAssertionKeys(env, sessionKeys.masterKeys),
    assertionAudience: readAssertionAudience(env),
    logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    metricsPort: readMetricsPort(env, port),
    ...readTracing(env),
    maxEventLoopDelayMs: readMaxDelay(env),
  };
}

function readUsers(env: EnvironmentReader, production: boolean): Config['users'] {
  const path = env.text('USERS_FILE');
  const url = env.url('USERS_URL');
  const token = env.secret('USERS_TOKEN');
  // It is part of the value of a header (RFC 9110 §5.5).
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    env.fault('USERS_TOKEN', 'must have visible ASCII characters only, no blanks');
  }
  if (path !== undefined && url !== undefined) env.fault('USERS_FILE', 'set either USERS_FILE or USERS_URL, not both');
  if (path !== undefined) return { kind: 'file', path };
  if (url !== undefined) {
    if (token === undefined && production) env.fault('USERS_TOKEN', 'is missing; USERS_URL needs it in production');
    return { kind: 'upstream', url: url.href, token };
  }
  if (production) env.fault('USERS_FILE', 'is missing; production needs USERS_FILE or USERS_URL');
  return { kind: 'demo' };
}

function readOrigin(env: EnvironmentReader, production: boolean, port: number): string {
  const origins = env.origins('ORIGIN');
  if (origins.length > 1) env.fault('ORIGIN', 'must be one origin');
  const origin = origins[0];
  if (origin === undefined) {
    if (production && env.list('ORIGIN').length === 0) {
      env.fault('ORIGIN', 'is missing; production needs the https origin that users see');
    }
    return `http://127.0.0.1:${port}`;
  }
  if (production && !origin.startsWith('https:')) env.fault('ORIGIN', 'must be https in production');
  return origin;
}

function readTrustProxy(env: EnvironmentReader): string[] {
  const list = env.list('TRUST_PROXY');
  const named = ['loopback', 'linklocal', 'uniquelocal'];
  const good = (entry: string) => named.includes(entry) || isNetwork(entry);
  if (!list.every(good)) {
    env.fault('TRUST_PROXY', 'must list addresses, networks (192.0.2.0/24), loopback, linklocal or uniquelocal');
  }
  return list.filter(good);
}

/** @returns keys of the run when there are none in development */
export function readMasterKeys(env: EnvironmentReader, production: boolean): Pick<Config, 'masterKeys' | 'keysGiven'> {
  const text = env.secret('SESSION_KEYS');
  if (text === undefined) {
    if (production) env.fault('SESSION_KEYS', 'is missing; make one with: doorcode key');
    return { masterKeys: [randomBytes(MASTER_KEY_BYTES)], keysGiven: false };
  }
  return { masterKeys: parseKeys(env, 'SESSION_KEYS', text, 'doorcode key'), keysGiven: true };
}

function readAssertionKeys(env: EnvironmentReader, masterKeys: readonly Buffer[]): Buffer[] {
  const text = env.secret('ASSERTION_KEY');
  if (text === undefined) return [];
  const keys = parseKeys(env, 'ASSERTION_KEY', text, 'doorcode key --assertion');
  // One secret for two algorithms: a weakness of either would be one of both.
  if (keys.some((key) => masterKeys.some((other) => other.equals(key)))) {
    env.fault('ASSERTION_KEY', 'names a key of SESSION_KEYS; make another with: doorcode key --assertion');
  }
  return keys;
}

/** Keys of 32 bytes each in base64 or base64url, separated by commas or blanks; faults name them by their place. */
function parseKeys(env: EnvironmentReader, name: string, text: string, command: string): Buffer[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  const bad = parts.findIndex((part) => !/^[A-Za-z0-9+/_-]{43}=?$/.test(part));
  const keys = parts.map((part) => Buffer.from(part, 'base64'));
  if (keys.length === 0) env.fault(name, `names no key; make one with: ${command}`);
  if (bad !== -1) env.fault(name, `key ${bad + 1} is not 32 bytes in base64; make one with: ${command}`);
  const distinct = new Set(keys.map((key) => key.toString('base64')));
  if (bad === -1 && distinct.size < keys.length) env.fault(name, 'names a key twice');
  return keys;
}

function readAssertionAudience(env: EnvironmentReader): string[] | undefined {
  const audience = env.list('ASSERTION_AUDIENCE');
  if (audience.length === 0) {
    if (env.text('ASSERTION_AUDIENCE') !== undefined) env.fault('ASSERTION_AUDIENCE', 'is empty');
    return undefined;
  }
  // Any name, but one with a colon must be a URI (RFC 7519 §2, StringOrURI).
  const good = (name: string) =>
    /^[^\s\p{C}]{1,255}$/u.test(name) && (!name.includes(':') || parseUrl(name) !== undefined);
  if (!audience.every(good)) env.fault('ASSERTION_AUDIENCE', 'each must be a name without blanks, or a URI');
  else if (new Set(audience).size < audience.length) env.fault('ASSERTION_AUDIENCE', 'contains a duplicate');
  return audience;
}

function readCookieDomain(env: EnvironmentReader, origin: string): string | undefined {
  const text = env.text('COOKIE_DOMAIN')?.replace(/^\./, '');
  if (text === undefined) return undefined;
  // In the spelling of ORIGIN: lower case, and other scripts in punycode (RFC 5891).
  const domain = domainToASCII(text);
  const host = new URL(origin).hostname;
  // Above an address there is nothing (RFC 6265 §5.1.3).
  const above = host.endsWith(`.${domain}`) && isIP(host) === 0;
  if (!isDomainName(domain)) {
    env.fault('COOKIE_DOMAIN', 'must be a domain name of letters, digits, hyphens and dots');
    return undefined;
  }
  if (host !== domain && !above) env.fault('COOKIE_DOMAIN', 'must be the host of ORIGIN or above it');
  // Browsers refuse a cookie for a whole top-level domain (RFC 6265 §5.3), and nobody could sign in.
  else if (host !== domain && !domain.includes('.'))
    env.fault('COOKIE_DOMAIN', 'must have a dot: not all of a top-level domain');
  return domain;
}

/** Whether a cookie may have this domain: labels of letters, digits and inner hyphens (RFC 1123 §2.1), no IPv6 address. */
function isDomainName(text: string): boolean {
  return text.length <= 253 && /^(?!-)[a-z\d-]{1,63}(?<!-)(?:\.(?!-)[a-z\d-]{1,63}(?<!-))*$/.test(text);
}

function readHost(env: EnvironmentReader, production: boolean): string {
  const host = env.text('HOST');
  if (host === undefined) return production ? '0.0.0.0' : '127.0.0.1';
  if (isIP(host) === 0 && !/^[\p{L}\p{N}_.-]{1,253}$/u.test(host)) {
    env.fault('HOST', 'must be an address such as 127.0.0.1 or ::1, or a host name');
  }
  return host;
}

function readLimits(env: EnvironmentReader): Config['limits'] {
  const sendBlock = readWindows(env, 'LIMIT_SEND_BLOCK', '30/3600');
  return {
    otpAttempts: env.integer('OTP_ATTEMPTS', 5, 1, 1_000_000),
    accountFailures: readAccountFailures(env),
    resendCooldownSeconds: env.integer('RESEND_COOLDOWN', 30, 0, 3600),
    passwordPair: readWindows(env, 'LIMIT_PASSWORD_PAIR', '5/900'),
    passwordUser: readWindows(env, 'LIMIT_PASSWORD_USER', '50/3600'),
    passwordAddress: readWindows(env, 'LIMIT_PASSWORD_ADDRESS', '100/3600'),
    sendPhone: readWindows(env, 'LIMIT_SEND_PHONE', '5/600,20/86400'),
    sendAccount: readWindows(env, 'LIMIT_SEND_ACCOUNT', '5/600'),
    sendAddress: readWindows(env, 'LIMIT_SEND_ADDRESS', '30/3600'),
    sendKey: readWindows(env, 'LIMIT_SEND_KEY', '1000/3600'),
    sendBlock,
    sendLoginBlock: readLoginBlock(env, sendBlock),
    sendBudget: readSendBudget(env),
  };
}

function readWindows(env: EnvironmentReader, name: string, fallback: string): Window[] {
  const windows = parseWindows(env.text(name) ?? fallback);
  if (windows !== null) return windows;
  env.fault(name, `must be count/seconds such as ${fallback}, or off`);
  return parseWindows(fallback) ?? [];
}

/** What the operator set for blocks holds for logins too. The default for API keys would be too small for a company. */
function readLoginBlock(env: EnvironmentReader, sendBlock: Window[]): Window[] {
  const own = env.text('LIMIT_SEND_LOGIN_BLOCK') !== undefined;
  if (!own && env.text('LIMIT_SEND_BLOCK') !== undefined) return sendBlock;
  return readWindows(env, 'LIMIT_SEND_LOGIN_BLOCK', '1000/3600,2500/86400');
}

function readSendBudget(env: EnvironmentReader): Window[] {
  const text = env.text('SEND_BUDGET') ?? 'off';
  if (text === 'off') return [];
  if (/^[1-9]\d{0,8}$/.test(text)) return [{ count: Number(text), seconds: 3600 }];
  env.fault('SEND_BUDGET', 'must be a number of messages an hour, or off');
  return [];
}

function checkRisk(env: EnvironmentReader, limits: Config['limits'], digits: number, hasApi: boolean): void {
  const text = env.text('MAX_GUESS_RISK') ?? '0.001';
  const maxRisk = /^(?:0?\.\d+|[01])$/.test(text) ? Number(text) : Number.NaN;
  if (!(maxRisk > 0 && maxRisk <= 1)) {
    env.fault('MAX_GUESS_RISK', 'must be a chance such as 0.001');
    return;
  }
  // What is asked for with an API key has no account: a block of numbers bounds it instead.
  const budgets = [guessBudget(limits, digits)];
  if (hasApi) budgets.push(guessBudget({ ...limits, sendAccount: limits.sendBlock }, digits));
  const budget = budgets.find((each) => !isWithin(each, maxRisk));
  if (budget === undefined) return;
  env.fault(
    'OTP_ATTEMPTS',
    `codes could be guessed: with these limits there is a chance of ${percent(budget.perCode)} for ` +
      `each code and of ${percent(budget.perDay)} a day, more than the ${percent(maxRisk)} of MAX_GUESS_RISK; lower ` +
      'OTP_ATTEMPTS or LIMIT_SEND_PHONE, give LIMIT_SEND_PHONE a window of a day, or raise OTP_DIGITS',
  );
}

function readRedisUrl(env: EnvironmentReader): string | undefined {
  const url = env.secret('REDIS_URL');
  if (url === undefined) return undefined;
  try {
    parseRedisUrl(url);
  } catch (error) {
    env.fault('REDIS_URL', (error as Error).message);
  }
  return url;
}

function readIdleTtl(env: EnvironmentReader, sessionTtlSeconds: number): number | undefined {
  if ((env.text('SESSION_IDLE_TTL') ?? 'off') === 'off') return undefined;
  const seconds = env.integer('SESSION_IDLE_TTL', sessionTtlSeconds, 60, 31_536_000);
  if (seconds > sessionTtlSeconds) env.fault('SESSION_IDLE_TTL', 'must not be longer than SESSION_TTL');
  return seconds;
}

function readMetricsPort(env: EnvironmentReader, port: number): number | undefined {
  if (env.text('METRICS_PORT') === undefined) return undefined;
  const metricsPort = env.integer('METRICS_PORT', 0, 0, 65_535);
  if (metricsPort === port && port !== 0) env.fault('METRICS_PORT', 'must not be PORT: metrics are not for users');
  return metricsPort;
}

function readMaxDelay(env: EnvironmentReader): number | undefined {
  if (env.text('MAX_EVENT_LOOP_DELAY') === 'off') return undefined;
  return env.integer('MAX_EVENT_LOOP_DELAY', 150, 20, 10_000);
}

function readAccountFailures(env: EnvironmentReader): number | null {
  if (env.text('LIMIT_ACCOUNT_FAILURES') === 'off') return null;
  return env.integer('LIMIT_ACCOUNT_FAILURES', 10, 1, 1000);
}

function readAppName(env: EnvironmentReader): string {
  const name = env.text('APP_NAME') ?? 'doorcode';
  // The name stands in a text message of one segment, beside the code and the host.
  if (name.length > 30 || /[\p{C}#@]/u.test(name)) {
    env.fault('APP_NAME', 'must have at most 30 characters, none of them #, @ or a control character');
    return 'doorcode';
  }
  return name;
}

/** An IP address, or a network with the length of its prefix. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
