import { generateSecret, type RandomBytes, totp, verifyTotp } from './totp.ts';

/**
 * One open login: everything needed to check its code, with nothing stored anywhere else. It travels sealed, in the
 * client's hands. All times are whole Unix seconds.
 */
export interface Challenge {
  readonly typ: 'challenge';
  /** 16 random bytes, base64url. What guesses and the one success are counted by. */
  readonly id: string;
  /** The user, in the directory's own spelling. */
  readonly sub: string;
  /** E.164. */
  readonly phone: string;
  /** BCP 47. */
  readonly locale: string;
  readonly channel: 'sms' | 'voice';
  /** 20 random bytes, base32. */
  readonly secret: string;
  /** When the provider accepted the message, rounded up; T0 of the code (RFC 6238 §4.1). */
  readonly iat: number;
  /** When the code dies: `iat` plus its time to live. The difference is the time step. */
  readonly exp: number;
  /** When the password was accepted; a resend keeps it. */
  readonly loginAt: number;
  /** Where to go once signed in. */
  readonly next: string;
}

/** A code that has been made but not yet accepted by a provider, so that its life has not begun. */
export interface Draft {
  readonly id: string;
  readonly secret: string;
  readonly code: string;
}

/** What a code is checked by, whatever else it is part of. */
export type Checkable = Pick<Challenge, 'secret' | 'iat' | 'exp'>;

/** Who and what a draft becomes a challenge for. */
export type ChallengeFields = Pick<Challenge, 'sub' | 'phone' | 'locale' | 'channel' | 'loginAt' | 'next'>;

/** What a code turned out to be. `early`: the challenge claims a future start, beyond any clock skew we tolerate. */
export type Verdict = 'match' | 'mismatch' | 'expired' | 'early';

/** How far another replica's clock may be ahead of ours. */
export const CLOCK_SKEW_SECONDS = 5;

const ID_BYTES = 16;

/**
 * Makes a secret and the code that follows from it.
 *
 * @param digits 6 to 10
 * @param previousCode a code that must not be sent twice in a row; secrets are drawn until the code differs
 */
export function draft(random: RandomBytes, digits: number, previousCode?: string): Draft {
  for (;;) {
    const secret = generateSecret(random);
    const code = firstCode(secret, digits);
    if (code !== previousCode) return { id: Buffer.from(random(ID_BYTES)).toString('base64url'), secret, code };
  }
}

/**
 * Starts the code's life at the moment the provider accepted it. Clock-aligned steps (T0 = 0) would cut it to anything
 * between nothing and the whole step; with T0 = acceptance, rounded up to the second, it lives its full time and less
 * than a second more.
 *
 * @param acceptedAtMs milliseconds since the Unix epoch
 * @param ttlSeconds the code's life and its time step
 */
export function open(draft: Draft, fields: ChallengeFields, acceptedAtMs: number, ttlSeconds: number): Challenge {
  const iat = Math.ceil(acceptedAtMs / 1000);
  return {
    typ: 'challenge',
    id: draft.id,
    sub: fields.sub,
    phone: fields.phone,
    locale: fields.locale,
    channel: fields.channel,
    secret: draft.secret,
    iat,
    exp: iat + ttlSeconds,
    loginAt: fields.loginAt,
    next: fields.next,
  };
}

/** A draft that replaces a challenge: a new id, a new secret and a code different from the one before. */
export function renew({ secret }: Pick<Challenge, 'secret'>, random: RandomBytes, digits: number): Draft {
  return draft(random, digits, firstCode(secret, digits));
}

/**
 * Whether `code` is this challenge's code, now. Exactly one code can ever match: the time is clamped into the one step
 * that was sent, so the next step's code, which nobody was sent, never does.
 *
 * @param code ASCII digits; one of another length is a mismatch
 * @param nowMs milliseconds since the Unix epoch
 */
export function check({ iat, exp, secret }: Checkable, code: string, nowMs: number, digits: number): Verdict {
  const now = Math.floor(nowMs / 1000);
  if (now < iat - CLOCK_SKEW_SECONDS) return 'early';
  if (now >= exp) return 'expired';
  if (code.length !== digits) return 'mismatch';
  const epoch = Math.min(Math.max(now, iat), exp - 1);
  return verifyTotp(secret, code, { periodSeconds: exp - iat, t0: iat, epoch, digits }) ? 'match' : 'mismatch';
}

/**
 * Whether `code` was this challenge's code while it lived: for those who run the service, who would like to know how many
 * people are too slow. It says nothing about now, and no client may be told.
 *
 * @param code ASCII digits; one of another length is not
 */
export function wasRight({ iat, exp, secret }: Checkable, code: string, digits: number): boolean {
  if (code.length !== digits) return false;
  return verifyTotp(secret, code, { periodSeconds: exp - iat, t0: iat, epoch: iat, digits });
}

/**
 * By how much something that {@link parseChallenge} refuses begins in our future, seconds: only a replica whose clock is
 * ahead of ours can have sealed it so.
 *
 * @param value as it was sealed
 * @returns 0 when that is not what is wrong with it, or is within the skew that we tolerate
 */
export function secondsAhead(value: unknown, nowMs: number): number {
  const iat = typeof value === 'object' && value !== null ? (value as Challenge).iat : 0;
  const ahead = isTime(iat) ? iat - Math.floor(nowMs / 1000) : 0;
  return ahead > CLOCK_SKEW_SECONDS ? ahead : 0;
}

/** Until when the challenge is worth keeping, Unix seconds: its login may be renewed, or its last code still lives. */
export function keepUntil(challenge: Challenge, loginTtlSeconds: number): number {
  return Math.max(challenge.exp, challenge.loginAt + loginTtlSeconds);
}

/**
 * Reads a challenge back from where it was sealed. Whoever holds the key could have sealed anything, an older version
 * of this program among them, so every field is looked at.
 *
 * @returns null when anything is amiss: type, fields, times, or a login that is over
 */
export function parseChallenge(value: unknown, nowMs: number, loginTtlSeconds: number): Challenge | null {
  if (typeof value !== 'object' || value === null) return null;
  const c = value as Record<keyof Challenge, unknown>;
  const wellFormed =
    c.typ === 'challenge' &&
    isString(c.id, /^[\w-]{22}$/) &&
    isString(c.sub, /^.{1,1024}$/su) &&
    isString(c.phone, /^\+[1-9]\d{6,14}$/) &&
    isString(c.locale, /^[A-Za-z0-9-]{2,35}$/) &&
    (c.channel === 'sms' || c.channel === 'voice') &&
    isString(c.secret, /^[A-Z2-7]{32}$/) &&
    isTime(c.iat) &&
    isTime(c.exp) &&
    isTime(c.loginAt) &&
    isString(c.next, /^(?:\/(?!\/)|https?:\/\/).{0,2048}$/s);
  if (!wellFormed) return null;
  const challenge = value as Challenge;
  const now = Math.floor(nowMs / 1000);
  const timely =
    challenge.exp > challenge.iat &&
    challenge.loginAt <= challenge.iat &&
    challenge.iat <= now + CLOCK_SKEW_SECONDS &&
    now < keepUntil(challenge, loginTtlSeconds);
  return timely ? challenge : null;
}

// The one step that a code is ever computed for is the first after T0, whatever T0 will turn out to be, so the code is
// known before the provider has accepted it.
function firstCode(secret: string, digits: number): string {
  return totp(secret, { periodSeconds: 60, t0: 0, epoch: 0, digits });
}

function isString(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
