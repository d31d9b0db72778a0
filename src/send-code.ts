import type { Clock } from './clock.ts';
import type { Channel, Message, Receipt } from './delivery/sender.ts';
import { DoorcodeError } from './errors.ts';
import type { Asker, Policy } from './limits/policy.ts';

/** What a message is made of, before it has words. */
export type Outgoing = Omit<Message, 'text'>;

/** What sending a code needs from the outside. */
export interface SendPorts {
  readonly policy: Pick<Policy, 'send'>;
  readonly delivery: {
    readonly channels: readonly Channel[];
    /**
     * @throws DoorcodeError `delivery_failed` when no sender accepted, `delivery_rejected` when none ever will
     */
    deliver(message: Message): Promise<Receipt>;
  };
  /** Puts a code into words. */
  readonly compose: (outgoing: Outgoing) => Message;
  readonly clock: Clock;
}

/** A code that a provider has just accepted. Times are milliseconds since the Unix epoch. */
export interface Sent {
  /** When its life begins. */
  readonly acceptedAtMs: number;
  /** When the next code may be asked for. */
  readonly resendAtMs: number;
  /** Who accepted it. */
  readonly sender: string;
  /** How long that took, milliseconds. */
  readonly acceptedMs: number;
}

/**
 * Sends a code. The send is counted before. It is refunded only when every attempt is known to have failed, so that a
 * provider's refusal costs the user nothing. After a timeout or a broken connection the message may still arrive: the
 * send stays counted, and the error says when the next one is allowed.
 *
 * @param ttlSeconds life of the code
 * @throws DoorcodeError `invalid_request` (no sender has this channel), `too_many_requests`, `delivery_failed`,
 *   `delivery_rejected`
 */
export async function sendCode(
  ports: SendPorts,
  outgoing: Omit<Outgoing, 'expiresAt'>,
  ttlSeconds: number,
  asker: Asker,
): Promise<Sent> {
  const { clock, compose, delivery, policy } = ports;
  assertChannel(ports, outgoing.channel);
  const countedAtMs = clock();
  const permit = await policy.send(outgoing.to, asker);
  const waitMs = permit.resendAtMs - countedAtMs;
  try {
    // Rounded down: whenever a provider accepts it, the code lives at least until then.
    const handedAtMs = clock();
    const expiresAt = Math.floor(handedAtMs / 1000) + ttlSeconds;
    const { sender } = await delivery.deliver(compose({ ...outgoing, expiresAt }));
    const acceptedAtMs = clock();
    await permit.delivered();
    return {
      acceptedAtMs,
      // No later than the wait from now on, also when the clock has been set back meanwhile.
      resendAtMs: Math.min(permit.resendAtMs, acceptedAtMs + waitMs),
      sender,
      acceptedMs: Math.max(0, acceptedAtMs - handedAtMs),
    };
  } catch (error) {
    if (error instanceof DoorcodeError && error.maybeSent) {
      throw notBefore(error, Math.min(waitMs, permit.resendAtMs - clock()) / 1000);
    }
    // Why it failed is what is to be told, even when the store has gone as well.
    await permit.giveBack().catch(() => {});
    throw error;
  }
}

/** The same failure, which asks the client to wait until the send limits allow another attempt. */
function notBefore(error: DoorcodeError, seconds: number): DoorcodeError {
  if (error.code !== 'delivery_failed') return error;
  const retryAfterSeconds = Math.max(error.retryAfterSeconds ?? 1, seconds);
  return new DoorcodeError(error.code, { retryAfterSeconds, maybeSent: true, cause: error.cause });
}

/** @throws DoorcodeError `invalid_request` when no configured sender has this channel */
export function assertChannel({ delivery }: Pick<SendPorts, 'delivery'>, channel: Channel): void {
  if (!delivery.channels.includes(channel)) {
    throw new DoorcodeError('invalid_request', { detail: `channel must be one of: ${delivery.channels.join(', ')}` });
  }
}
