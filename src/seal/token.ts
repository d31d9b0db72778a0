import type { Codec } from './codec.ts';
import type { Purpose } from './keys.ts';

/** A sealed value that may stand in JSON: base64url of ciphertext and nonce, joined by a dot. */
const TOKEN = /^[\w-]+\.[\w-]{32}$/;

/** Seals an object into a token of URL-safe characters. */
export function sealToken(codec: Codec, purpose: Purpose, payload: object): string {
  return codec.seal(purpose, payload).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '').replace(';', '.');
}

/** @returns what was sealed, unchecked, or null when the token is not one of ours for this purpose */
export function openToken(codec: Codec, purpose: Purpose, token: string): unknown {
  if (!TOKEN.test(token)) return null;
  const [cipher = '', nonce = ''] = token.replaceAll('-', '+').replaceAll('_', '/').split('.');
  return codec.open(purpose, `${cipher.padEnd(Math.ceil(cipher.length / 4) * 4, '=')};${nonce}`);
}
