import { createHash, timingSafeEqual } from 'node:crypto';

/** An API key as the configuration has it: never the key itself. */
export interface ApiKeyEntry {
  /** Several keys may share one, for rotation: they may then check what the others asked for. */
  readonly name: string;
  /** SHA-256 of the key. A key is 256 random bits, which need no slow hash. */
  readonly sha256: Buffer;
  /** From when on it is refused, milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}

export interface ApiKeys {
  /**
   * @param authorization value of the Authorization header
   * @returns the name of the key, or null for none, an unknown one and one whose time is over
   */
  nameOf(authorization: string | undefined, nowMs: number): string | null;
}

export const API_KEY_PREFIX = 'dk_';
const KEY_BYTES = 32;

export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/**
 * A fresh key, and its entry in API_KEYS.
 *
 * @param random fills the requested number of random bytes
 * @param expires last day on which it is good, `YYYY-MM-DD`
 */
export function makeApiKey(
  name: string,
  random: (length: number) => Uint8Array,
  expires?: string,
): { readonly key: string; readonly entry: string } {
  const key = API_KEY_PREFIX + Buffer.from(random(KEY_BYTES)).toString('base64url');
  const entry = [name, hashApiKey(key).toString('hex'), ...(expires === undefined ? [] : [expires])].join(':');
  return { key, entry };
}

/**
 * Reads one entry of API_KEYS, `name:sha256hex[:YYYY-MM-DD]`; the key is good until that day is over (UTC).
 *
 * @returns null when it is none
 */
export function parseApiKeyEntry(text: string): ApiKeyEntry | null {
  const { name, digest, day } =
    /^(?<name>[\w.-]{1,64}):(?<digest>[0-9a-f]{64})(?::(?<day>\d{4}-\d{2}-\d{2}))?$/i.exec(text)?.groups ?? {};
  if (name === undefined || digest === undefined) return null;
  const expiresAtMs = day === undefined ? Number.POSITIVE_INFINITY : endOfDay(day);
  return expiresAtMs === null ? null : { name, sha256: Buffer.from(digest, 'hex'), expiresAtMs };
}

/** @returns the first moment after a day, milliseconds since the Unix epoch, or null when there is no such day */
export function endOfDay(day: string): number | null {
  const start = Date.parse(`${day}T00:00:00Z`);
  // Date.parse takes the 31st of a shorter month for the 1st of the next.
  const exists = !Number.isNaN(start) && new Date(start).toISOString().startsWith(day);
  return exists ? start + 86_400_000 : null;
}

/** Looks keys up by their hash, every entry each time, so that the time it takes tells nothing of any of them. */
export function createApiKeys(entries: readonly ApiKeyEntry[]): ApiKeys {
  return {
    nameOf(authorization, nowMs) {
      // The scheme's name is read in any case (RFC 9110 §11.1).
      const key = /^bearer +(?<key>[\w.~+/-]{1,200}=*)$/i.exec(authorization ?? '')?.groups?.['key'];
      const digest = hashApiKey(key ?? '');
      let found: string | null = null;
      for (const { name, sha256, expiresAtMs } of entries) {
        if (timingSafeEqual(sha256, digest) && nowMs < expiresAtMs) found = name;
      }
      return key === undefined ? null : found;
    },
  };
}
