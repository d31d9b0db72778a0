import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { abortable } from './abortable.ts';
import { type Channel, channels, DeliveryError, type Message, type Receipt, type Sender } from './sender.ts';
import { type TimeoutSignalFactory, timeoutSignal } from './timeout-signal.ts';

export interface DeliveryOptions {
  /** In the order in which they are tried. */
  readonly senders: readonly Sender[];
  readonly clock: Clock;
  readonly log: Log;
  /** How long one sender may take, milliseconds. */
  readonly perTryMs?: number;
  /** How long all of them together may take, milliseconds: the user waits for it. */
  readonly deadlineMs?: number;
  /** For tests. */
  readonly timeoutSignal?: TimeoutSignalFactory;
}

export interface Delivery {
  /** Those that at least one sender has. */
  readonly channels: readonly Channel[];
  /**
   * @throws DoorcodeError `delivery_rejected` when a sender says that the number cannot be reached (the next ones see
   *   nothing of it), `delivery_failed` when none has accepted in time
   */
  deliver(message: Message): Promise<Receipt>;
  close(): Promise<void>;
}

/** When a user may try again after every sender has failed: most of what is temporary is over by then. */
const retryAfterSeconds = 5;

/**
 * Several senders as one: the first that accepts the message has it. A sender that timed out may have sent it all the
 * same, so a user can get the same code twice; never two codes.
 *
 * The log gets one line for each attempt: who, how, why not, how long. Never the number, code or text, nor the
 * message of an error, which may quote them.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { senders, clock, log, perTryMs = 4_000, deadlineMs = 10_000 } = options;
  const startTimeout = options.timeoutSignal ?? timeoutSignal;

  return {
    channels: channels.filter((channel) => senders.some((sender) => sender.channels.includes(channel))),

    async deliver(message) {
      const { channel } = message;
      const deadline = clock() + deadlineMs;
      for (const sender of senders.filter((sender) => sender.channels.includes(channel))) {
        const startedAt = clock();
        const leftMs = deadline - startedAt;
        if (leftMs <= 0) break;
        try {
          const receipt = await attempt(sender, message, Math.min(perTryMs, leftMs));
          log.info({ sender: sender.name, channel, ms: clock() - startedAt }, 'message accepted');
          return receipt;
        } catch (error) {
          const { kind, reason } = asDeliveryError(error);
          log.warn({ sender: sender.name, channel, reason, kind, ms: clock() - startedAt }, 'message not accepted');
          if (kind === 'permanent') throw new DoorcodeError('delivery_rejected');
        }
      }
      throw new DoorcodeError('delivery_failed', { retryAfterSeconds });
    },

    async close() {
      // One that cannot close must not keep the others from closing.
      await Promise.allSettled(senders.map((sender) => sender.close?.()));
    },
  };

  async function attempt(sender: Sender, message: Message, ms: number): Promise<Receipt> {
    const { signal, clear } = startTimeout(ms);
    try {
      return await abortable(sender.send(message, signal), signal);
    } finally {
      clear();
    }
  }
}

/** What a sender throws against its contract is a fault in it, and no reason not to try the next one. */
function asDeliveryError(error: unknown): DeliveryError {
  return error instanceof DeliveryError ? error : new DeliveryError('temporary', 'unexpected');
}
