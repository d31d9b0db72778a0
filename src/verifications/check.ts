import { timingSafeEqual } from 'node:crypto';
import { CLOCK_SKEW_SECONDS, check, type Verdict, wasRight } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import { type Checked, limitOf, outcomeOf } from '../events.ts';
import type { Trace } from '../trace.ts';
import type { VerificationPorts } from './ports.ts';
import { countableOf, type Verification } from './verification.ts';

/**
 * Whether a code proves a number. A guess is counted before it is compared, and a right code counts once; a code that
 * is past its life is told so without spending a guess.
 *
 * @param verification as its id held it, or null when that was none of ours, or another key's
 * @param code ASCII digits, as many as configured
 * @param trace of the request
 * @param to the number that the server means, E.164: another one is a wrong guess, so that whoever can choose it learns
 *   nothing from asking
 * @throws DoorcodeError `challenge_missing`, `otp_expired`, `otp_invalid` (with `attemptsLeft`), `otp_used`,
 *   `otp_attempts_exhausted`, `account_locked`, `limits_unavailable`
 */
export async function checkVerification(
  ports: VerificationPorts,
  verification: Verification | null,
  code: string,
  trace: Trace,
  to?: string,
): Promise<Verification> {
  const now = ports.clock();
  try {
    const approved = await approve(ports, verification, code, now, trace, to);
    ports.events({ ...checked(verification, now, trace), outcome: 'ok' });
    return approved;
  } catch (error) {
    const outcome = outcomeOf(error);
    const late = outcome === 'otp_expired' && verification !== null && isLate(ports, verification, code, to);
    ports.events({
      ...checked(verification, now, trace),
      outcome: late ? 'otp_expired_right' : outcome,
      limit: limitOf(error),
      attemptsLeft: error instanceof DoorcodeError ? error.attemptsLeft : undefined,
    });
    throw error;
  }
}

async function approve(
  ports: VerificationPorts,
  verification: Verification | null,
  code: string,
  now: number,
  trace: Trace,
  to: string | undefined,
): Promise<Verification> {
  const { events, policy } = ports;
  if (verification === null) throw new DoorcodeError('challenge_missing');
  if (now >= verification.exp * 1000) throw new DoorcodeError('otp_expired');
  if (now < (verification.iat - CLOCK_SKEW_SECONDS) * 1000) throw new DoorcodeError('challenge_missing');

  const countable = await countableOf(ports, verification);
  const onLock = (seconds: number) => events({ ...about(verification, trace), type: 'locked', seconds });
  const guess = await policy.guess(countable, onLock);
  const verdict = compare(ports, verification, code, now);
  if (verdict === 'match' && (to === undefined || to === verification.phone)) {
    await policy.succeed(countable);
    return verification;
  }
  const seconds = await policy.wrong(countable, guess);
  if (seconds > 0) onLock(seconds);
  throw new DoorcodeError('otp_invalid', { attemptsLeft: guess.attemptsLeft });
}

function isLate({ settings }: VerificationPorts, verification: Verification, code: string, to?: string): boolean {
  if (verification.test || (to !== undefined && to !== verification.phone)) return false;
  return wasRight(verification, code, settings.otpDigits);
}

function about(verification: Verification | null, trace: Trace) {
  const { key, phone, channel } = verification ?? {};
  return { flow: 'verification', trace, key, subject: phone, phone, channel } as const;
}

function checked(verification: Verification | null, nowMs: number, trace: Trace): Omit<Checked, 'outcome'> {
  const ageMs = verification === null ? undefined : nowMs - verification.iat * 1000;
  return { ...about(verification, trace), type: 'checked', ageMs };
}

function compare(
  { settings, testNumbers }: VerificationPorts,
  verification: Verification,
  code: string,
  now: number,
): Verdict {
  if (!verification.test) return check(verification, code, now, settings.otpDigits);
  const fixed = testNumbers.codeOf(verification.phone, now);
  if (fixed === undefined || fixed.length !== code.length) return 'mismatch';
  return timingSafeEqual(Buffer.from(fixed), Buffer.from(code)) ? 'match' : 'mismatch';
}
