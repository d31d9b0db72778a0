import { type Challenge, type ChallengeFields, type Draft, open } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import type { SignInPorts } from './ports.ts';

/** A challenge whose code a provider has just accepted. */
export interface Issued {
  readonly challenge: Challenge;
  /** When the next code may be asked for, milliseconds since the Unix epoch. */
  readonly resendAtMs: number;
}

/**
 * Sends a drafted code and opens its challenge at the moment a provider accepts it. The send is counted before and
 * given back when it fails, so that a provider's fault costs the user nothing.
 *
 * @param address of the client who asked for it
 * @throws DoorcodeError `invalid_request` (no sender has this channel), `too_many_requests`, `delivery_failed`,
 *   `delivery_rejected`
 */
export async function issue(
  ports: SignInPorts,
  draft: Draft,
  fields: ChallengeFields,
  address: string,
): Promise<Issued> {
  const { clock, compose, delivery, policy, settings } = ports;
  assertChannel(ports, fields.channel);
  const permit = await policy.send(fields.phone, { sub: fields.sub, address });
  try {
    // Rounded down: whenever a provider accepts it, the code lives at least until then.
    const expiresAt = Math.floor(clock() / 1000) + settings.otpTtlSeconds;
    const { phone: to, channel, locale } = fields;
    await delivery.deliver(compose({ channel, to, code: draft.code, locale, expiresAt }));
  } catch (error) {
    await permit.giveBack();
    throw error;
  }
  return { challenge: open(draft, fields, clock(), settings.otpTtlSeconds), resendAtMs: permit.resendAtMs };
}

/** @throws DoorcodeError `invalid_request` when no configured sender has this channel */
export function assertChannel({ delivery }: SignInPorts, channel: Challenge['channel']): void {
  if (!delivery.channels.includes(channel)) {
    throw new DoorcodeError('invalid_request', { detail: `channel must be one of: ${delivery.channels.join(', ')}` });
  }
}
