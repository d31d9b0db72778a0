import type { Codec } from '../seal/codec.ts';
import { openToken, sealToken } from '../seal/token.ts';

/** What a call is to say, for a provider that asks for it once the call is answered. Times are Unix seconds. */
export interface Call {
  readonly typ: 'call';
  /** 16 random bytes, base64url. What makes it good for one fetch. */
  readonly id: string;
  readonly code: string;
  readonly locale: string;
  readonly exp: number;
}

const ID_BYTES = 16;

/**
 * Seals what a call is to say into a token for a URL, so that no replica has to remember it.
 *
 * @param random fills the requested number of random bytes
 * @returns URL-safe characters, fewer than 400
 */
export function sealCall(
  codec: Codec,
  { code, locale, expiresAt: exp }: { readonly code: string; readonly locale: string; readonly expiresAt: number },
  random: (length: number) => Uint8Array,
): string {
  const id = Buffer.from(random(ID_BYTES)).toString('base64url');
  const call: Call = { typ: 'call', id, code, locale, exp };
  return sealToken(codec, 'call', call);
}

/** @returns what was sealed, or null when the token is not ours, is for something else, or its code is over */
export function openCall(codec: Codec, token: string, nowMs: number): Call | null {
  const value = openToken(codec, 'call', token) as Partial<Call> | null;
  const wellFormed =
    typeof value === 'object' &&
    value !== null &&
    value.typ === 'call' &&
    typeof value.id === 'string' &&
    typeof value.code === 'string' &&
    typeof value.locale === 'string' &&
    Number.isSafeInteger(value.exp);
  if (!wellFormed) return null;
  const call = value as Call;
  return nowMs < call.exp * 1000 ? call : null;
}
