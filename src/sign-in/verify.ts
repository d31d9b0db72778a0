import { type Challenge, check, wasRight } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import { type Checked, limitOf, outcomeOf } from '../events.ts';
import { type Session, startSession } from '../session/session.ts';
import type { Trace } from '../trace.ts';
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
export async function verify(
  ports: SignInPorts,
  challenge: Challenge | null,
  code: string,
  trace: Trace,
): Promise<Session> {
  const { clock, events, policy, random, settings } = ports;
  const now = clock();
  try {
    if (challenge === null) throw new DoorcodeError('challenge_missing');
    if (now >= challenge.exp * 1000) throw new DoorcodeError('otp_expired');

    const { sub: subject, phone, channel } = challenge;
    const onLock = (seconds: number) =>
      events({ type: 'locked', flow: 'sign_in', trace, subject, phone, channel, seconds });
    const guess = await policy.guess(challenge, onLock);
    switch (check(challenge, code, now, settings.otpDigits)) {
      case 'match': {
        await policy.succeed(challenge);
        events(checked(challenge, now, trace, 'ok'));
        return startSession(challenge, now, settings.sessionTtlSeconds, random);
      }
      case 'mismatch': {
        const seconds = await policy.wrong(challenge, guess);
        if (seconds > 0) onLock(seconds);
        throw new DoorcodeError('otp_invalid', { attemptsLeft: guess.attemptsLeft });
      }
      default:
        throw new DoorcodeError('challenge_missing');
    }
  } catch (error) {
    const outcome = outcomeOf(error);
    const late = outcome === 'otp_expired' && challenge !== null && wasRight(challenge, code, settings.otpDigits);
    events(checked(challenge, now, trace, late ? 'otp_expired_right' : outcome, error));
    throw error;
  }
}

/**
 * A code that was typed on the page of an older challenge. Compared with the newer one it would cost a guess.
 *
 * @param challenge the newer one: of the older nothing is left but its id, so its age and number are not told
 * @throws DoorcodeError `otp_used`, always
 */
export function refuseStale({ events }: Pick<SignInPorts, 'events'>, challenge: Challenge | null, trace: Trace): never {
  events({ type: 'checked', flow: 'sign_in', trace, subject: challenge?.sub, outcome: 'otp_used' });
  throw new DoorcodeError('otp_used');
}

// Written out: put together from other objects it took 3 µs of a check, which is not 130 µs altogether.
function checked(
  challenge: Challenge | null,
  nowMs: number,
  trace: Trace,
  outcome: Checked['outcome'],
  error?: unknown,
): Checked {
  return {
    type: 'checked',
    flow: 'sign_in',
    trace,
    subject: challenge?.sub,
    phone: challenge?.phone,
    channel: challenge?.channel,
    outcome,
    limit: limitOf(error),
    attemptsLeft: error instanceof DoorcodeError ? error.attemptsLeft : undefined,
    ageMs: challenge === null ? undefined : nowMs - challenge.iat * 1000,
  };
}
