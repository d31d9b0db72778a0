import type { Config } from './config.ts';

/** What a configuration allows but should not stay as it is; one sentence each, by the name of the setting. */
export function configWarnings(config: Config, nowMs: number): string[] {
  return config.production ? [...plainHttp(config), ...openApi(config, nowMs), ...sharedAudience(config)] : [];
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
