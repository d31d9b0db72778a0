import { createHmac, hkdfSync } from 'node:crypto';
import { foldUsername } from '../username.ts';

/** Stands for a username, or a number, in the log. */
export type HashSubject = (subject: string) => string;

const KEY_BYTES = 32;
/** 96 bits: no two users share one, and a line stays readable. */
const HASH_BYTES = 12;

/**
 * Names are not written to the log: they may be personal data, and what was typed as one may be a password in the wrong
 * field. A plain hash of a name could be found by trying names, so it is keyed: HMAC-SHA-256 of the name as it is
 * compared, under a key derived from the first master key by HKDF-SHA-256 (no salt, info `doorcode subject v1`).
 *
 * `doorcode subject NAME` prints it. Another first key makes other hashes.
 */
export function createSubjectHash(masterKey: Buffer): HashSubject {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'doorcode subject v1', KEY_BYTES));
  return (subject) =>
    createHmac('sha256', key).update(foldUsername(subject)).digest().subarray(0, HASH_BYTES).toString('base64url');
}
