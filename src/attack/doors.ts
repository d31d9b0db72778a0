import { type Answer, type Client, inWords } from './client.ts';
import type { CookieJar } from './jar.ts';

/** The routes that are for the signed-in, and those that tell a gateway who they are. */
export const DOORS = ['/session', '/', '/auth', '/auth/redirect'] as const;

/**
 * Tries every door.
 *
 * @returns the first that opened, in words, or null when all stayed shut. A door that breaks is not shut: whoever came so
 *   far was taken for somebody
 */
export async function openDoor(
  client: Client,
  { jar, headers = {} }: { jar?: CookieJar; headers?: Readonly<Record<string, string>> },
): Promise<string | null> {
  for (const path of DOORS) {
    const answer = await client.get(path, { jar: jar?.copy(), headers });
    if (!isShut(path, answer)) return `${path} answered ${inWords(answer)}`;
    const { 'remote-user': user = '', 'x-doorcode-assertion': assertion = '' } = answer.headers;
    if (user !== '' || assertion !== '') return `${path} named a user`;
  }
  return null;
}

function isShut(path: (typeof DOORS)[number], { status, headers }: Answer): boolean {
  if (status === 401 || status === 400 || status === 431) return true;
  // A gateway need not pass on what only gateways ask.
  if (path === '/auth' || path === '/auth/redirect') return status === 404 || status === 403;
  return (
    path === '/' && status === 303 && new URL(headers['location'] ?? '/', 'http://same.invalid').pathname === '/login'
  );
}
