import type { EnvironmentReader } from './environment.ts';
import { parseUrl } from './parse-url.ts';

export type SenderName = 'console' | 'signalwire' | 'twilio' | 'plivo' | 'webhook';
/** In the order in which they are tried when nothing else is said. */
export const senderNames: readonly SenderName[] = ['signalwire', 'twilio', 'plivo', 'webhook', 'console'];

/** An account with a provider. */
export interface ProviderSettings {
  /** Host of its API, a port allowed. */
  readonly host: string;
  /** Project id, account SID or auth id. */
  readonly account: string;
  readonly token: string;
  /** The number that messages and calls come from, E.164. */
  readonly number: string;
}

export interface SignalWireSettings extends ProviderSettings {
  /** What SignalWire signs its callbacks with; without it there are no delivery receipts from it. */
  readonly signingKey: string | undefined;
}

/** Senders with what they need; undefined are those that are not set up. */
export interface SenderSettings {
  readonly signalwire: SignalWireSettings | undefined;
  readonly twilio: ProviderSettings | undefined;
  readonly plivo: ProviderSettings | undefined;
  readonly webhook: { readonly url: string; readonly secret: string } | undefined;
}

export function readSenders(env: EnvironmentReader): SenderSettings {
  return { signalwire: readSignalWire(env), twilio: readTwilio(env), plivo: readPlivo(env), webhook: readWebhook(env) };
}

/** The senders to try, in order: those that DELIVERY lists, else all that are set up, else in development the console. */
export function readDelivery(env: EnvironmentReader, production: boolean, senders: SenderSettings): SenderName[] {
  const names = env.list('DELIVERY');
  if (names.length === 0) {
    // What is set up is meant to be used.
    const found = senderNames.filter((name) => name !== 'console' && senders[name] !== undefined);
    if (found.length > 0) return found;
    if (production) env.fault('DELIVERY', 'is missing; production needs a sender that reaches phones, e.g. signalwire');
    return ['console'];
  }
  const known = senderNames.filter((name) => names.includes(name));
  if (known.length < names.length) {
    env.fault('DELIVERY', `must list some of: ${senderNames.join(', ')}, each once`);
  }
  for (const name of known) {
    if (name === 'console') {
      if (production) env.fault('DELIVERY', 'console shows codes in the log; not in production');
    } else if (senders[name] === undefined) {
      env.fault(FIRST_SETTING[name], `is missing; DELIVERY names ${name}`);
    }
  }
  return names as SenderName[];
}

/** ISO 3166-1 alpha-2, in either case; `UK` is `GB`. */
export function readCountries(env: EnvironmentReader): string[] {
  const list = env.list('ALLOWED_COUNTRIES');
  const countries = list.map(countryCode);
  if (countries.includes(null)) {
    env.fault('ALLOWED_COUNTRIES', 'must list countries by their two letters, such as US,GB');
  }
  return [...new Set(countries.filter((country) => country !== null))];
}

const FIRST_SETTING = {
  signalwire: 'SIGNALWIRE_SPACE',
  twilio: 'TWILIO_ACCOUNT_SID',
  plivo: 'PLIVO_AUTH_ID',
  webhook: 'WEBHOOK_URL',
} as const;

function readSignalWire(env: EnvironmentReader): SignalWireSettings | undefined {
  const settings = readAccount(env, 'SignalWire', {
    host: 'SIGNALWIRE_SPACE',
    account: 'SIGNALWIRE_PROJECT',
    token: 'SIGNALWIRE_TOKEN',
    number: 'SIGNALWIRE_NUMBER',
  });
  const signingKey = env.secret('SIGNALWIRE_SIGNING_KEY');
  return settings && { ...settings, signingKey };
}

function readTwilio(env: EnvironmentReader): ProviderSettings | undefined {
  const host = readHost(env, 'TWILIO_HOST') ?? 'api.twilio.com';
  const settings = readAccount(env, 'Twilio', {
    account: 'TWILIO_ACCOUNT_SID',
    token: 'TWILIO_AUTH_TOKEN',
    number: 'TWILIO_NUMBER',
  });
  return settings && { ...settings, host };
}

function readPlivo(env: EnvironmentReader): ProviderSettings | undefined {
  const host = readHost(env, 'PLIVO_HOST') ?? 'api.plivo.com';
  const settings = readAccount(env, 'Plivo', {
    account: 'PLIVO_AUTH_ID',
    token: 'PLIVO_AUTH_TOKEN',
    number: 'PLIVO_NUMBER',
  });
  return settings && { ...settings, host };
}

/** The settings of one account: all of them, or none. */
function readAccount(
  env: EnvironmentReader,
  provider: string,
  names: { readonly host?: string; readonly account: string; readonly token: string; readonly number: string },
): ProviderSettings | undefined {
  const host = names.host === undefined ? undefined : readHost(env, names.host);
  const account = env.text(names.account);
  const token = env.secret(names.token);
  const number = env.text(names.number);
  const needed: [string, string | undefined][] = [
    [names.account, account],
    [names.token, token],
    [names.number, number],
  ];
  if (names.host !== undefined) needed.unshift([names.host, host]);
  if (needed.every(([, value]) => value === undefined)) return undefined;
  const count = needed.length === 4 ? 'four' : 'three';
  for (const [name, value] of needed) {
    if (value === undefined) env.fault(name, `is missing; ${provider} needs all ${count} of its settings`);
  }
  if (account !== undefined && !/^[\w-]+$/.test(account)) {
    env.fault(names.account, 'must be an id of letters, digits, - and _');
  }
  if (number !== undefined && !/^\+[1-9]\d{6,14}$/.test(number)) {
    env.fault(names.number, 'must be a phone number in E.164 form such as +15550100199');
  }
  return { host: host ?? '', account: account ?? '', token: token ?? '', number: number ?? '' };
}

function readHost(env: EnvironmentReader, name: string): string | undefined {
  const host = env.text(name);
  if (host !== undefined && !isHost(host)) {
    env.fault(name, 'must be a host name such as example.signalwire.com, without a scheme or path');
  }
  return host;
}

function readWebhook(env: EnvironmentReader): SenderSettings['webhook'] {
  const url = env.url('WEBHOOK_URL');
  const secret = env.secret('WEBHOOK_SECRET');
  if (secret !== undefined && secret.length < 16) env.fault('WEBHOOK_SECRET', 'must have at least 16 characters');
  if (url === undefined) return undefined;
  if (secret === undefined) env.fault('WEBHOOK_SECRET', 'is missing; WEBHOOK_URL needs it to sign its requests');
  return { url: url.href, secret: secret ?? '' };
}

/** A host name, with or without a port, in any case; nothing around it. */
function isHost(text: string): boolean {
  if (!/^[^\s/\\?#@]+$/.test(text)) return false;
  const url = parseUrl(`https://${text}`);
  if (url === undefined) return false;
  const { host, port } = url;
  return (port === '' ? text.toLowerCase().replace(/:443$/, '') : text.toLowerCase()) === host;
}

// Groups of countries have codes too, but no phone numbers.
const NO_COUNTRIES = new Set(['EU', 'EZ', 'QO', 'UN', 'ZZ', 'XA', 'XB']);
const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

function countryCode(text: string): string | null {
  if (!/^[a-z]{2}$/i.test(text)) return null;
  const { region } = new Intl.Locale(`und-${text}`);
  if (region === undefined || NO_COUNTRIES.has(region)) return null;
  return regions.of(region) === undefined ? null : region;
}
