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
 * Sends a code. The send is counted before and given back when it fails, so that a provider's fault costs nobody
 * anything.
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
  const permit = await policy.send(outgoing.to, asker);
  try {
    // Rounded down: whenever a provider accepts it, the code lives at least until then.
    const handedAtMs = clock();
    const expiresAt = Math.floor(handedAtMs / 1000) + ttlSeconds;
    const { sender } = await delivery.deliver(compose({ ...outgoing, expiresAt }));
    const acceptedAtMs = clock();
    await permit.delivered();
    return { acceptedAtMs, resendAtMs: permit.resendAtMs, sender, acceptedMs: acceptedAtMs - handedAtMs };
  } catch (error) {
    // Why it failed is what is to be told, even when the store has gone as well.
    await permit.giveBack().catch(() => {});
    throw error;
  }
}

/** @throws DoorcodeError `invalid_request` when no configured sender has this channel */
export function assertChannel({ delivery }: Pick<SendPorts, 'delivery'>, channel: Channel): void {
  if (!delivery.channels.includes(channel)) {
    throw new DoorcodeError('invalid_request', { detail: `channel must be one of: ${delivery.channels.join(', ')}` });
  }
}
