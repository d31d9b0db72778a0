import type { Config } from './config.ts';
import { cookieReaches } from './gateway/cookie-scope.ts';
import { strictest, type Window } from './limits/window.ts';
import { isLoopbackHost } from './loopback.ts';
import { parseUrl } from './parse-url.ts';
import { ignoredExemptions, proxyFor, proxyVariable } from './proxy-config.ts';

/** What a configuration allows but should not stay as it is; one sentence each, by the name of the setting. */
export function configWarnings(config: Config, nowMs: number): string[] {
  const warnings = [
    ...passwordLimits(config),
    ...sameWindows(config),
    ...proxies(config),
    ...returnOrigins(config),
    ...config.tracingWarnings,
  ];
  return config.production
    ? [...warnings, ...plainHttp(config), ...openApi(config, nowMs), ...sharedAudience(config)]
    : warnings;
}

function proxies({ proxies, senders, delivery, users, tracing }: Config): string[] {
  const hosts = { signalwire: 'SIGNALWIRE_SPACE', twilio: 'TWILIO_HOST', plivo: 'PLIVO_HOST' } as const;
  const providers = (['signalwire', 'twilio', 'plivo'] as const).flatMap((name) => {
    const host = delivery.includes(name) ? senders[name]?.host : undefined;
    return host === undefined ? [] : [{ setting: hosts[name], url: `https://${host}` }];
  });
  const destinations = [
    ...providers,
    ...(senders.webhook === undefined ? [] : [{ setting: 'WEBHOOK_URL', url: senders.webhook.url }]),
    ...(users.kind === 'upstream' ? [{ setting: 'USERS_URL', url: users.url }] : []),
    ...(tracing === undefined ? [] : [{ setting: 'OTEL_EXPORTER_OTLP_ENDPOINT', url: tracing.url }]),
  ].flatMap(({ setting, url: text }) => {
    const url = parseUrl(text);
    return url === undefined ? [] : [{ setting, url }];
  });
  return [
    ...ignoredExemptions(proxies).map(
      (position) => `NO_PROXY: entry ${position} is not a host name, an address or a network, and is ignored`,
    ),
    ...destinations
      .filter(({ url }) => isLoopbackHost(url.hostname) && proxyFor(proxies, url) !== undefined)
      .map(
        ({ setting, url }) =>
          `${proxyVariable(url)}: requests to ${url.hostname} (${setting}) go through the proxy, for which that name ` +
          'means its own machine; add it to NO_PROXY to send them directly',
      ),
  ];
}

/** Two windows of one length in one setting: the smaller count holds, so the other has no effect. */
function sameWindows({ limits }: Config): string[] {
  const settings: Record<string, readonly Window[]> = {
    LIMIT_PASSWORD_PAIR: limits.passwordPair,
    LIMIT_PASSWORD_USER: limits.passwordUser,
    LIMIT_PASSWORD_ADDRESS: limits.passwordAddress,
    LIMIT_SEND_PHONE: limits.sendPhone,
    LIMIT_SEND_ACCOUNT: limits.sendAccount,
    LIMIT_SEND_ADDRESS: limits.sendAddress,
    LIMIT_SEND_KEY: limits.sendKey,
    LIMIT_SEND_BLOCK: limits.sendBlock,
    LIMIT_SEND_LOGIN_BLOCK: limits.sendLoginBlock === limits.sendBlock ? [] : limits.sendLoginBlock,
  };
  return Object.entries(settings)
    .filter(([, windows]) => strictest(windows).length < windows.length)
    .map(([name, windows]) => {
      const used = strictest(windows).map(({ count, seconds }) => `${count}/${seconds}`);
      return `${name}: has two windows of the same length; only the stricter one counts: ${used.join(',')}`;
    });
}

function passwordLimits({ limits }: Config): string[] {
  const { passwordPair, passwordUser, passwordAddress } = limits;
  if ([passwordPair, passwordUser, passwordAddress].some((windows) => windows.length > 0)) return [];
  const names = 'LIMIT_PASSWORD_PAIR, LIMIT_PASSWORD_USER, LIMIT_PASSWORD_ADDRESS';
  return [`${names}: all are off; passwords can be guessed without limit`];
}

function plainHttp({ users, senders }: Config): string[] {
  const carriers: [name: string, url: string | undefined, what: string][] = [
    ['USERS_URL', users.kind === 'upstream' ? users.url : undefined, 'passwords'],
    ['WEBHOOK_URL', senders.webhook?.url, 'codes and phone numbers'],
  ];
  return carriers
    .filter(([, url]) => url !== undefined && isPlainHttp(url))
    .map(([name, , what]) => `${name}: ${what} travel unencrypted; use https`);
}

function openApi({ api, allowedCountries }: Config, nowMs: number): string[] {
  const warnings: string[] = [];
  if (api.keys.length > 0 && allowedCountries.length === 0) {
    warnings.push('ALLOWED_COUNTRIES: every country is sent to with an API key; name those of your users');
  }
  if (api.testNumbers.size > 0) {
    const days = Math.ceil((api.testNumbersUntilMs - nowMs) / 86_400_000);
    const left = days > 0 ? `for ${days} more days` : 'no longer, their last day is over';
    warnings.push(`TEST_NUMBERS: ${api.testNumbers.size} numbers have a fixed code, ${left}`);
  }
  return warnings;
}

/** Apps behind a gateway that never get the session, and would send their users to log in again and again. */
function returnOrigins(config: Config): string[] {
  const { origin, cookieDomain, allowedReturnOrigins } = config;
  const unreached = allowedReturnOrigins.filter((app) => !cookieReaches(config, app));
  const insecure = allowedReturnOrigins.filter((app) => origin.startsWith('https:') && app.startsWith('http:'));
  const advice =
    cookieDomain === undefined
      ? 'COOKIE_DOMAIN is not set; set it to a domain above ORIGIN and these hosts'
      : `they are not at or below COOKIE_DOMAIN (${cookieDomain})`;
  return [
    ...(unreached.length === 0
      ? []
      : [
          `ALLOWED_RETURN_ORIGINS: the session cookie does not reach ${unreached.join(', ')}, so a gateway cannot ` +
            `protect an app there: ${advice}`,
        ]),
    ...(insecure.length === 0
      ? []
      : [
          `ALLOWED_RETURN_ORIGINS: browsers send the session cookie over https only, so a gateway cannot protect an app ` +
            `on ${insecure.join(', ')}`,
        ]),
  ];
}

function sharedAudience({ assertionKeys, assertionAudience, cookieDomain, allowedReturnOrigins }: Config): string[] {
  const hasSeveralApps = cookieDomain !== undefined || allowedReturnOrigins.length > 1;
  if (assertionKeys.length === 0 || assertionAudience === undefined || !hasSeveralApps) return [];
  return [
    'ASSERTION_AUDIENCE: every app accepts the assertions that were issued for the others; ' +
      'without this setting, each assertion is only for the origin of the app that receives it',
  ];
}

/** A neighbour on the same machine is reached without a network that anybody could listen to. */
function isPlainHttp(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(?:127(?:\.\d+){3}|\[::1\]|(?:.+\.)?localhost)$/.test(hostname);
}
