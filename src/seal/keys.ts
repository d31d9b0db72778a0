import { hkdfSync } from 'node:crypto';

/** What a sealed value is for. Each purpose has its own keys, so a value sealed for one never opens for another. */
export type Purpose = 'challenge' | 'session' | 'notice' | 'verification' | 'call';
export const purposes: readonly Purpose[] = ['challenge', 'session', 'notice', 'verification', 'call'];

/** Keys of 32 bytes each for every purpose; the first seals, all open. */
export type SealKeys = Readonly<Record<Purpose, readonly Buffer[]>>;

export const KEY_BYTES = 32;

/**
 * Derives the keys of all purposes from the master keys with HKDF-SHA-256 (RFC 5869): no salt, info
 * `doorcode PURPOSE v1`, 32 bytes.
 *
 * @param masterKeys 32 bytes each, in order: the first seals, all open; so a new key is put in front, and the old one
 *   is dropped when nothing sealed with it can still be alive
 */
export function deriveKeys(masterKeys: readonly Buffer[]): SealKeys {
  const derive = (purpose: Purpose) =>
    masterKeys.map((key) => Buffer.from(hkdfSync('sha256', key, '', `doorcode ${purpose} v1`, KEY_BYTES)));
  return {
    challenge: derive('challenge'),
    session: derive('session'),
    notice: derive('notice'),
    verification: derive('verification'),
    call: derive('call'),
  };
}
