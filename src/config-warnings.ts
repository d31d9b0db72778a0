import type { Config } from './config.ts';

/** What a configuration allows but should not stay as it is; one sentence each, by the name of the setting. */
export function configWarnings({ production, users, senders }: Config): string[] {
  if (!production) return [];
  const carriers: [name: string, url: string | undefined, what: string][] = [
    ['USERS_URL', users.kind === 'upstream' ? users.url : undefined, 'passwords'],
    ['WEBHOOK_URL', senders.webhook?.url, 'codes and phone numbers'],
  ];
  return carriers
    .filter(([, url]) => url !== undefined && isPlainHttp(url))
    .map(([name, , what]) => `${name}: ${what} travel unencrypted; use https`);
}

/** A neighbour on the same machine is reached without a network that anybody could listen to. */
function isPlainHttp(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(?:127(?:\.\d+){3}|\[::1\]|(?:.+\.)?localhost)$/.test(hostname);
}
