import { type Challenge, type ChallengeFields, type Draft, open } from '../challenge/challenge.ts';
import { type Sent, sendCode } from '../send-code.ts';
import type { Trace } from '../trace.ts';
import type { SignInPorts } from './ports.ts';

/** A challenge whose code a provider has just accepted. */
export interface Issued extends Pick<Sent, 'sender' | 'acceptedMs' | 'resendAtMs'> {
  readonly challenge: Challenge;
}

/**
 * Sends a drafted code and opens its challenge at the moment a provider accepts it.
 *
 * @param address of the client who asked for it
 * @throws DoorcodeError like {@link sendCode}
 */
export async function issue(
  ports: SignInPorts,
  draft: Draft,
  fields: ChallengeFields,
  address: string,
  trace: Trace,
): Promise<Issued> {
  const { otpTtlSeconds } = ports.settings;
  const { phone: to, channel, locale, sub } = fields;
  const outgoing = { to, channel, locale, code: draft.code, trace };
  const { acceptedAtMs, ...sent } = await sendCode(ports, outgoing, otpTtlSeconds, { sub, address });
  return { challenge: open(draft, fields, acceptedAtMs, otpTtlSeconds), ...sent };
}
