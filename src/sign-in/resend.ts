import { type Challenge, renew } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import { limitOf, outcomeOf } from '../events.ts';
import type { Trace } from '../trace.ts';
import { type Issued, issue } from './issue.ts';
import type { SignInPorts } from './ports.ts';

/**
 * Replaces a challenge: a new id, a new secret, a code that differs from the one before, sent again or spoken. The old
 * challenge is closed once the new code is on its way; until then, and when sending fails, its code stays good.
 *
 * @param challenge as its cookie held it, or null when there was none
 * @param address of the client
 * @throws DoorcodeError `challenge_missing` (also when the login itself is too old), `otp_used`, `account_locked`, and
 *   whatever {@link issue} throws
 */
export async function resend(
  ports: SignInPorts,
  challenge: Challenge | null,
  address: string,
  trace: Trace,
  channel?: Challenge['channel'],
): Promise<Issued> {
  const asked = {
    type: 'asked',
    flow: 'sign_in',
    again: true,
    trace,
    subject: challenge?.sub,
    phone: challenge?.phone,
    channel: channel ?? challenge?.channel,
  } as const;
  try {
    const issued = await replace(ports, challenge, address, trace, channel);
    ports.events({ ...asked, outcome: 'ok', sender: issued.sender, acceptedMs: issued.acceptedMs });
    return issued;
  } catch (error) {
    ports.events({ ...asked, outcome: outcomeOf(error), limit: limitOf(error) });
    throw error;
  }
}

async function replace(
  ports: SignInPorts,
  challenge: Challenge | null,
  address: string,
  trace: Trace,
  channel: Challenge['channel'] | undefined,
): Promise<Issued> {
  const { clock, policy, random, settings } = ports;
  if (challenge === null || clock() >= (challenge.loginAt + settings.loginTtlSeconds) * 1000) {
    throw new DoorcodeError('challenge_missing');
  }
  await Promise.all([policy.assertOpen(challenge), policy.assertUnlocked(challenge.sub)]);
  const { sub, phone, locale, loginAt, next } = challenge;
  const fields = { sub, phone, locale, loginAt, next, channel: channel ?? challenge.channel };
  const issued = await issue(ports, renew(challenge, random, settings.otpDigits), fields, address, trace);
  // Someone who typed the old code while the new one was on its way is signed in; one login gives one session.
  if (!(await policy.close(challenge))) throw new DoorcodeError('otp_used');
  return issued;
}
