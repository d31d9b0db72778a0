import { createHmac, timingSafeEqual } from 'node:crypto';
import { base32 } from '@otplib/plugin-base32-scure';
// Node's own HMAC: otplib's default plugin is pure JavaScript and costs four times as much.
import { crypto } from '@otplib/plugin-crypto-node';
// otplib's own package for TOTP. The functions of `otplib` itself wrap it, and cost three times as much as it does.
import { generateSync } from '@otplib/totp';
import { generateSecret as otplibSecret } from 'otplib/functional';

/** Fills the requested number of bytes from a source of randomness; `node:crypto` `randomBytes` in production. */
export type RandomBytes = (length: number) => Uint8Array;

/** The moving parts of RFC 6238 §4: which step of which clock a code belongs to. All times are Unix seconds. */
export interface TotpStep {
  /** Length of a time step, X in RFC 6238 §4.1. */
  readonly periodSeconds: number;
  /** Where counting starts, T0 in RFC 6238 §4.1. */
  readonly t0: number;
  /** The time for which the code is computed. */
  readonly epoch: number;
  /** Number of decimal digits, 6 to 10. */
  readonly digits: number;
}

/** 160 bits, the length that RFC 4226 §4 R6 recommends. */
const SECRET_BYTES = 20;

/** A fresh shared secret: 20 random bytes in base32 without padding (RFC 4648 §6), 32 characters. */
export function generateSecret(random: RandomBytes): string {
  return otplibSecret({ length: SECRET_BYTES, crypto: Object.create(crypto, { randomBytes: { value: random } }) });
}

/** Otplib's plugin without its copy of the digest, which is a buffer of its own already, and its look at the algorithm. */
const plainCrypto: typeof crypto = Object.create(crypto, {
  hmac: {
    value: (algorithm: string, key: Uint8Array, data: Uint8Array) => createHmac(algorithm, key).update(data).digest(),
  },
});

/**
 * The time-based code of RFC 6238 with HMAC-SHA-1.
 *
 * @param secret base32
 * @returns `digits` decimal digits, leading zeros kept
 */
export function totp(secret: string, step: TotpStep): string {
  return generateSync({
    secret,
    base32,
    digits: step.digits,
    period: step.periodSeconds,
    t0: step.t0,
    epoch: step.epoch,
    crypto: plainCrypto,
  });
}

/**
 * Whether `code` is the code of exactly this step; no neighbouring step is tried. Compares in constant time; that codes
 * of another length are wrong is no secret.
 */
export function verifyTotp(secret: string, code: string, step: TotpStep): boolean {
  const right = Buffer.from(totp(secret, step));
  const given = Buffer.from(code);
  return given.length === right.length && timingSafeEqual(given, right);
}
