import type { Clock } from '../clock.ts';
import { createSigningKey, type PublicJwk } from './signing-key.ts';

/** What is said of a person, or of a phone. */
export interface AssertionClaims {
  readonly sub: string;
  /** How it was proved, in the words of RFC 8176 §2. */
  readonly amr: readonly string[];
  /** When it was proved, in whole Unix seconds. */
  readonly authTime: number;
  /** What the assertion is told apart by, for those who take each only once. */
  readonly jti?: string;
  /** Which customer of ours it was made for, where there are several: the name of an API key (`azp`). */
  readonly azp?: string;
  /** The one app that may accept this assertion (`aud`); the audience of {@link createAssertions} when absent. */
  readonly aud?: string | undefined;
}

export interface Assertions {
  /**
   * Signs claims as a compact JWT (RFC 7519; EdDSA by RFC 8037 §3.1) that is good from now on.
   *
   * @param ttlSeconds how long at most, such as what is left of a session; more than 60 becomes 60
   * @param typ kind of token, `JWT` when absent; one of its own keeps kinds apart (RFC 8725 §3.11)
   * @throws RangeError when that is less than a second
   */
  sign(claims: AssertionClaims, ttlSeconds?: number, typ?: string): Promise<string>;
  /** The public keys by which anyone can check (RFC 7517 §5), the one that signs first. */
  jwks(): { readonly keys: readonly PublicJwk[] };
}

/** An assertion is for the request that it comes with: what is stolen from a log is of no use by then. */
export const MAX_TTL_SECONDS = 60;

/**
 * Signs assertions.
 *
 * @param options.keys seeds of 32 bytes each (RFC 8032 §5.1.5): the first signs, the public ones of all are published
 * @param options.issuer our own origin, the claim `iss`
 * @param options.audience the claim `aud` where the claims name none: a string when it is one, else a list (RFC 7519 §4.1.3)
 * @throws RangeError when there is no key, no audience, or a seed has another length
 */
export function createAssertions(options: {
  readonly keys: readonly Uint8Array[];
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly clock: Clock;
}): Assertions {
  const { issuer, audience, clock } = options;
  const keys = options.keys.map(createSigningKey);
  const [signing] = keys;
  if (signing === undefined) throw new RangeError('assertions need a key');
  const [only, ...others] = audience;
  if (only === undefined) throw new RangeError('assertions need an audience');
  const defaultAudience = others.length === 0 ? only : [...audience];
  const header = { alg: 'EdDSA', kid: signing.publicJwk.kid };
  const published = { keys: keys.map((key) => key.publicJwk) };

  // Not for the start, and not the whole of jose, which takes three times as long to load as the part that signs.
  const loadSigner = () => import('jose/jwt/sign');

  return {
    async sign({ sub, amr, authTime, jti, azp, aud = defaultAudience }, ttlSeconds = MAX_TTL_SECONDS, typ = 'JWT') {
      const ttl = Math.min(MAX_TTL_SECONDS, Math.floor(ttlSeconds));
      if (!(ttl >= 1)) throw new RangeError('an assertion lives for a second at least');
      const iat = Math.floor(clock() / 1000);
      const claims = { iss: issuer, aud, sub, amr: [...amr], auth_time: authTime, iat, exp: iat + ttl };
      const told = { ...(jti === undefined ? {} : { jti }), ...(azp === undefined ? {} : { azp }) };
      const { SignJWT } = await loadSigner();
      return new SignJWT({ ...claims, ...told }).setProtectedHeader({ ...header, typ }).sign(signing.privateKey);
    },
    jwks: () => published,
  };
}
