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
  /** When it was last seen in use, where sessions end unused; without it, at `iat`. */
  readonly seen?: number;
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
 * @param idleTtlSeconds after how long without use it ends; without, that is not looked at
 * @returns null when anything is amiss: type, fields, or its time is over
 */
export function parseSession(value: unknown, nowMs: number, idleTtlSeconds?: number): Session | null {
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
    Number.isSafeInteger(s.exp) &&
    (s.seen === undefined || Number.isSafeInteger(s.seen));
  if (!wellFormed) return null;
  const session = value as Session;
  const sound = session.iat > 0 && session.exp > session.iat && lastSeen(session) >= session.iat;
  return sound && sessionEnd(session, idleTtlSeconds) * 1000 > nowMs ? session : null;
}

/** When the session ends if nobody uses it any more, in Unix seconds. */
export function sessionEnd(session: Session, idleTtlSeconds?: number): number {
  return idleTtlSeconds === undefined ? session.exp : Math.min(session.exp, lastSeen(session) + idleTtlSeconds);
}

/** How often in an idle time a session in use is sealed anew: not with each request, and early enough to lose little. */
const RENEWALS_PER_IDLE_TTL = 10;

/**
 * The session as seen now: the same id, so that signing out ends it in all its forms, and the same end.
 *
 * @returns null while it was seen a moment ago, a tenth of the idle time
 */
export function renewSession(session: Session, nowMs: number, idleTtlSeconds: number): Session | null {
  const now = Math.floor(nowMs / 1000);
  return now - lastSeen(session) < idleTtlSeconds / RENEWALS_PER_IDLE_TTL ? null : { ...session, seen: now };
}

function lastSeen({ seen, iat }: Session): number {
  return seen ?? iat;
}
