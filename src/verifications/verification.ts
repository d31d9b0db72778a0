import { type Challenge, CLOCK_SKEW_SECONDS, type Draft } from '../challenge/challenge.ts';

/**
 * One phone number that is being proved for a server. It travels sealed, as the `id` that the server keeps. All times
 * are whole Unix seconds.
 */
export interface Verification
  extends Pick<Challenge, 'id' | 'phone' | 'locale' | 'channel' | 'secret' | 'iat' | 'exp'> {
  readonly typ: 'verification';
  /** Name of the API key that asked. Only that one may check it. */
  readonly key: string;
  /** When it was asked for first; resending keeps it. */
  readonly askedAt: number;
  /** Whether the number is one of the fixed code, to which nothing was sent. */
  readonly test: boolean;
}

export type VerificationFields = Pick<Verification, 'key' | 'phone' | 'locale' | 'channel' | 'askedAt' | 'test'>;

/**
 * Starts the code's life at the moment the provider accepted it, as a challenge's does.
 *
 * @param acceptedAtMs milliseconds since the Unix epoch
 */
export function openVerification(
  { id, secret }: Draft,
  { key, phone, locale, channel, askedAt, test }: VerificationFields,
  acceptedAtMs: number,
  ttlSeconds: number,
): Verification {
  const iat = Math.ceil(acceptedAtMs / 1000);
  return { typ: 'verification', id, key, phone, locale, channel, secret, iat, exp: iat + ttlSeconds, askedAt, test };
}

/**
 * Reads a verification back from where it was sealed, every field looked at.
 *
 * @param ttlSeconds how long after it was first asked for it may be resent
 * @returns null when anything is amiss: type, fields, times
 */
export function parseVerification(value: unknown, nowMs: number, ttlSeconds: number): Verification | null {
  if (typeof value !== 'object' || value === null) return null;
  const v = value as Record<keyof Verification, unknown>;
  const wellFormed =
    v.typ === 'verification' &&
    isString(v.id, /^[\w-]{22}$/) &&
    isString(v.key, /^[\w.-]{1,64}$/) &&
    isString(v.phone, /^\+[1-9]\d{6,14}$/) &&
    isString(v.locale, /^[A-Za-z0-9-]{2,35}$/) &&
    (v.channel === 'sms' || v.channel === 'voice') &&
    isString(v.secret, /^[A-Z2-7]{32}$/) &&
    typeof v.test === 'boolean' &&
    [v.iat, v.exp, v.askedAt].every((time) => Number.isSafeInteger(time) && (time as number) > 0);
  if (!wellFormed) return null;
  const verification = value as Verification;
  const { iat, exp, askedAt } = verification;
  const now = Math.floor(nowMs / 1000);
  const timely =
    exp > iat && askedAt <= iat && iat <= now + CLOCK_SKEW_SECONDS && now < Math.max(exp, askedAt + ttlSeconds);
  return timely ? verification : null;
}

/**
 * What guesses and the success are counted by. Wrong codes in a row are counted for a number and the key together, so
 * that one customer's users cannot lock a number for another's; the line break keeps it apart from every username.
 */
export async function countableOf(
  { countedNumber }: { readonly countedNumber: (phone: string) => Promise<string> },
  { id, key, phone }: Verification,
): Promise<{ readonly id: string; readonly sub: string }> {
  return { id, sub: `${key}\n${await countedNumber(phone)}` };
}

function isString(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
