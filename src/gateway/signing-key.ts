import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** An Ed25519 key, ready to sign, and what the world may know of it. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  /** The public key as RFC 8037 §2 writes it; `kid` is its thumbprint (RFC 7638). */
  readonly publicJwk: PublicJwk;
}

export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** The 32 bytes of the public key, base64url. */
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

export const SEED_BYTES = 32;

/** PKCS#8 of an Ed25519 private key (RFC 8410 §7), up to where the seed stands. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Makes the key pair that follows from a seed.
 *
 * @param seed 32 bytes, the private key of RFC 8032 §5.1.5
 * @throws RangeError when it has another length
 */
export function createSigningKey(seed: Uint8Array): SigningKey {
  if (seed.length !== SEED_BYTES) throw new RangeError(`an Ed25519 seed has ${SEED_BYTES} bytes`);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  // The key itself stands at the end (RFC 8410 §4).
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const x = spki.subarray(-32).toString('base64url');
  return {
    privateKey,
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x, kid: thumbprint(x), use: 'sig', alg: 'EdDSA' },
  };
}

/** RFC 7638 §3: SHA-256 over the members that make the key (RFC 8037 §2: crv, kty, x), in this order, without blanks. */
function thumbprint(x: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');
}
