/** How a person proved who they are, in the words of RFC 8176 §2. */
export type Amr = 'pwd' | 'otp' | 'sms' | 'tel';

/** A signed-in person. It travels sealed, in the browser's hands. Times are whole Unix seconds. */
export interface Session {
  readonly typ: 'session';
  /** 16 random bytes, base64url. What a logout revokes. */
  readonly id: string;
  readonly sub: string;
  readonly amr: readonly Amr[];
  /** When the code was accepted. */
  readonly iat: number;
  readonly exp: number;
}

const ID_BYTES = 16;
const AMR: readonly unknown[] = ['pwd', 'otp', 'sms', 'tel'];

/** How a code proves a phone: it was read off it, or heard on it. */
export function amrOf(channel: 'sms' | 'voice'): Amr[] {
  return ['otp', channel === 'voice' ? 'tel' : 'sms'];
}

/**
 * Signs a person in.
 *
 * @param channel how the code travelled: `sms`, or `tel` for a call, in the words of RFC 8176
 * @param random fills the requested number of random bytes
 */
export function startSession(
  who: { readonly sub: string; readonly channel: 'sms' | 'voice' },
  nowMs: number,
  ttlSeconds: number,
  random: (length: number) => Uint8Array,
): Session {
  const iat = Math.floor(nowMs / 1000);
  return {
    typ: 'session',
    id: Buffer.from(random(ID_BYTES)).toString('base64url'),
    sub: who.sub,
    amr: ['pwd', ...amrOf(who.channel)],
    iat,
    exp: iat + ttlSeconds,
  };
}

/**
 * Reads a session back from where it was sealed, every field looked at.
 *
 * @returns null when anything is amiss: type, fields, or its time is over
 */
export function parseSession(value: unknown, nowMs: number): Session | null {
  if (typeof value !== 'object' || value === null) return null;
  const s = value as Record<keyof Session, unknown>;
  const wellFormed =
    s.typ === 'session' &&
    typeof s.id === 'string' &&
    /^[\w-]{22}$/.test(s.id) &&
    typeof s.sub === 'string' &&
    /^.{1,1024}$/su.test(s.sub) &&
    Array.isArray(s.amr) &&
    s.amr.length > 0 &&
    s.amr.every((method) => AMR.includes(method)) &&
    Number.isSafeInteger(s.iat) &&
    Number.isSafeInteger(s.exp);
  if (!wellFormed) return null;
  const session = value as Session;
  return session.iat > 0 && session.exp > session.iat && session.exp * 1000 > nowMs ? session : null;
}
