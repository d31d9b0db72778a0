import { timingSafeEqual } from 'node:crypto';
import { CLOCK_SKEW_SECONDS, check, type Verdict } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import type { VerificationPorts } from './ports.ts';
import { countableOf, type Verification } from './verification.ts';

/**
 * Whether a code proves a number. A guess is counted before it is compared, and a right code counts once; a code that
 * is past its life is told so without spending a guess.
 *
 * @param verification as its id held it, or null when that was none of ours, or another key's
 * @param code ASCII digits, as many as configured
 * @param to the number that the server means, E.164: another one is a wrong guess, so that whoever can choose it learns
 *   nothing from asking
 * @throws DoorcodeError `challenge_missing`, `otp_expired`, `otp_invalid` (with `attemptsLeft`), `otp_used`,
 *   `otp_attempts_exhausted`, `account_locked`, `limits_unavailable`
 */
export async function checkVerification(
  ports: VerificationPorts,
  verification: Verification | null,
  code: string,
  to?: string,
): Promise<Verification> {
  const { clock, policy } = ports;
  if (verification === null) throw new DoorcodeError('challenge_missing');
  const now = clock();
  if (now >= verification.exp * 1000) throw new DoorcodeError('otp_expired');
  if (now < (verification.iat - CLOCK_SKEW_SECONDS) * 1000) throw new DoorcodeError('challenge_missing');

  const countable = countableOf(verification);
  const guess = await policy.guess(countable);
  const verdict = compare(ports, verification, code, now);
  if (verdict === 'match' && (to === undefined || to === verification.phone)) {
    await policy.succeed(countable);
    return verification;
  }
  await policy.wrong(countable, guess);
  throw new DoorcodeError('otp_invalid', { attemptsLeft: guess.attemptsLeft });
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
