import { type Draft, draft, renew } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import { type Asked, limitOf, outcomeOf } from '../events.ts';
import { assertChannel, type Sent, sendCode } from '../send-code.ts';
import type { Trace } from '../trace.ts';
import type { VerificationPorts } from './ports.ts';
import { countableOf, openVerification, type Verification, type VerificationFields } from './verification.ts';

export interface VerificationInput {
  /** Name of the API key. */
  readonly key: string;
  /** E.164. */
  readonly to: string;
  readonly channel: 'sms' | 'voice';
  /** BCP 47. */
  readonly locale: string;
  readonly trace: Trace;
}

/** A verification whose code is on its way. */
export interface Requested extends Pick<Sent, 'resendAtMs'>, Partial<Pick<Sent, 'sender' | 'acceptedMs'>> {
  readonly verification: Verification;
}

/**
 * Sends a code to a number that a server wants proved.
 *
 * @throws DoorcodeError `invalid_request` (no possible number, no such channel), `too_many_requests`,
 *   `delivery_failed`, `delivery_rejected`
 */
export async function requestVerification(ports: VerificationPorts, input: VerificationInput): Promise<Requested> {
  const { key, to, channel, trace } = input;
  const about = { trace, key, subject: to, phone: to, channel };
  return told(ports, { ...about, type: 'asked', flow: 'verification', again: false }, () => request(ports, input));
}

async function request(
  ports: VerificationPorts,
  { key, to, channel, locale, trace }: VerificationInput,
): Promise<Requested> {
  const { clock, isPossible, random, settings, testNumbers } = ports;
  const now = clock();
  const test = testNumbers.codeOf(to, now) !== undefined;
  if (!test && !(await isPossible(to))) {
    throw new DoorcodeError('invalid_request', { detail: 'to must be a possible phone number in E.164 form' });
  }
  const fields = { key, phone: to, channel, locale, askedAt: Math.floor(now / 1000), test };
  return send(ports, draft(random, settings.otpDigits), fields, trace);
}

/**
 * Replaces a verification: a new id, a code that differs from the one before, sent again or spoken. The old one is
 * closed once the new code is on its way; until then, and when sending fails, its code stays good.
 *
 * @throws DoorcodeError `challenge_missing` (also when it was asked for too long ago), `otp_used`, `account_locked`,
 *   and whatever {@link requestVerification} throws
 */
export async function resendVerification(
  ports: VerificationPorts,
  verification: Verification | null,
  trace: Trace,
  channel?: Verification['channel'],
): Promise<Requested> {
  const { key, phone } = verification ?? {};
  const about = { trace, key, subject: phone, phone, channel: channel ?? verification?.channel };
  return told(ports, { ...about, type: 'asked', flow: 'verification', again: true }, () =>
    replace(ports, verification, trace, channel),
  );
}

async function replace(
  ports: VerificationPorts,
  verification: Verification | null,
  trace: Trace,
  channel: Verification['channel'] | undefined,
): Promise<Requested> {
  const { clock, policy, random, settings, testNumbers } = ports;
  if (verification === null || clock() >= (verification.askedAt + settings.loginTtlSeconds) * 1000) {
    throw new DoorcodeError('challenge_missing');
  }
  const countable = await countableOf(ports, verification);
  await Promise.all([policy.assertOpen(countable), policy.assertUnlocked(countable.sub)]);
  const test = testNumbers.codeOf(verification.phone, clock()) !== undefined;
  const fields = { ...verification, channel: channel ?? verification.channel, test };
  const requested = await send(ports, renew(verification, random, settings.otpDigits), fields, trace);
  // The old code may have been approved while the new one was on its way; a number is proved once.
  if (!(await policy.close(countable))) throw new DoorcodeError('otp_used');
  return requested;
}

/** Tells how the asking ended. */
async function told(
  { events }: VerificationPorts,
  asked: Omit<Asked, 'outcome'>,
  work: () => Promise<Requested>,
): Promise<Requested> {
  try {
    const requested = await work();
    events({ ...asked, outcome: 'ok', sender: requested.sender, acceptedMs: requested.acceptedMs });
    return requested;
  } catch (error) {
    events({ ...asked, outcome: outcomeOf(error), limit: limitOf(error) });
    throw error;
  }
}

async function send(
  ports: VerificationPorts,
  code: Draft,
  fields: VerificationFields,
  trace: Trace,
): Promise<Requested> {
  const { clock, settings } = ports;
  const { otpTtlSeconds } = settings;
  const { key, phone: to, channel, locale, test } = fields;
  assertChannel(ports, channel);
  const { acceptedAtMs, ...sent } = test
    ? { acceptedAtMs: clock(), resendAtMs: clock() }
    : await sendCode(ports, { to, channel, locale, code: code.code, trace }, otpTtlSeconds, { apiKey: key });
  return { verification: openVerification(code, fields, acceptedAtMs, otpTtlSeconds), ...sent };
}
