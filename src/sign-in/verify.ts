import { type Challenge, check } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import { type Session, startSession } from '../session/session.ts';
import type { SignInPorts } from './ports.ts';

/**
 * The second factor. A guess is counted before it is compared, and a right code counts once; a code that is past its
 * life is told so without spending a guess.
 *
 * @param challenge as its cookie held it, or null when there was none
 * @param code ASCII digits, as many as configured
 * @throws DoorcodeError `challenge_missing`, `otp_expired`, `otp_invalid` (with `attemptsLeft`), `otp_used`,
 *   `otp_attempts_exhausted`, `account_locked`, `limits_unavailable`
 */
export async function verify(ports: SignInPorts, challenge: Challenge | null, code: string): Promise<Session> {
  const { clock, policy, random, settings } = ports;
  if (challenge === null) throw new DoorcodeError('challenge_missing');
  const now = clock();
  if (now >= challenge.exp * 1000) throw new DoorcodeError('otp_expired');

  const guess = await policy.guess(challenge);
  switch (check(challenge, code, now, settings.otpDigits)) {
    case 'match':
      await policy.succeed(challenge);
      return startSession(challenge, now, settings.sessionTtlSeconds, random);
    case 'mismatch':
      await policy.wrong(challenge, guess);
      throw new DoorcodeError('otp_invalid', { attemptsLeft: guess.attemptsLeft });
    default:
      throw new DoorcodeError('challenge_missing');
  }
}
