import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { type Events, noEvents, type Tried } from '../events.ts';
import type { Log } from '../log.ts';
import { type StartSpan, traceIdOf, untraced } from '../trace.ts';
import { abortable } from './abortable.ts';
import { type Breaker, type BreakerState, createBreaker } from './breaker.ts';
import type { NumberRules } from './number-rules.ts';
import {
  asDeliveryError,
  type Channel,
  channels,
  DeliveryError,
  isSenderIll,
  type Message,
  type Receipt,
  type Sender,
} from './sender.ts';
import { type TimeoutSignalFactory, timeoutSignal } from './timeout-signal.ts';

export interface DeliveryOptions {
  /** In the order in which they are tried. */
  readonly senders: readonly Sender[];
  readonly clock: Clock;
  readonly log: Log;
  /** Is told of each attempt. */
  readonly events?: Events;
  /** Makes each attempt a step of the request's trace. */
  readonly startSpan?: StartSpan | undefined;
  /** Which numbers are sent to; all of them when absent. */
  readonly numbers?: Pick<NumberRules, 'refusal'>;
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
   * @throws DoorcodeError `delivery_rejected` when a rule or a sender says that the number cannot be reached (the next
   *   ones see nothing of it), `delivery_failed` when none has accepted in time; both with `maybeSent` when the outcome
   *   of an attempt is unknown
   */
  deliver(message: Message): Promise<Receipt>;
  /** Whether each sender is being tried at the moment. */
  states(): Readonly<Record<string, BreakerState>>;
  /** Breaks off what is under way, and closes the senders. */
  close(): Promise<void>;
}

/** When a user may try again after every sender has failed: most of what is temporary is over by then. */
const retryAfterSeconds = 5;

/**
 * Several senders as one: the first that accepts the message has it. A sender that timed out may have sent it all the
 * same, so a user can get the same code twice; never two codes. A sender that has failed several times in a row is left
 * out for a while (`breaker.ts`).
 *
 * The log gets one line for each attempt: who, how, why not, how long. Never the number, code or text, nor the
 * message of an error, which may quote them.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { senders, clock, log, events = noEvents, startSpan, numbers, perTryMs = 4_000, deadlineMs = 10_000 } = options;
  const startTimeout = options.timeoutSignal ?? timeoutSignal;
  const guarded = senders.map((sender) => ({ sender, breaker: createBreaker({ clock }) }));
  const underWay = new Set<() => void>();
  let closed = false;

  async function attempt(sender: Sender, message: Message, ms: number): Promise<Receipt> {
    const { signal, abort, clear } = startTimeout(ms);
    underWay.add(abort);
    try {
      return await abortable(() => sender.send(message, signal), signal);
    } finally {
      underWay.delete(abort);
      clear();
    }
  }

  /** One sender's turn: its receipt, or why it has none. */
  async function turn(
    sender: Sender,
    breaker: Breaker,
    message: Message,
    ms: number,
    begunAt: number,
  ): Promise<Receipt | DeliveryError> {
    const { channel, trace = untraced } = message;
    const startedAt = clock();
    const before = breaker.state;
    const span = startSpan?.('send', trace, { sender: sender.name, channel });
    let outcome: Receipt | DeliveryError;
    try {
      outcome = await attempt(sender, span === undefined ? message : { ...message, trace: span.trace }, ms);
    } catch (error) {
      outcome = asDeliveryError(error);
    }
    // Negative after the clock was set back.
    const took = Math.max(0, clock() - startedAt);
    const asked = askedBy(message);
    const tried = { type: 'tried', trace, sender: sender.name, channel, ms: took } as const;
    if (outcome instanceof DeliveryError) {
      const { kind, reason, detail } = outcome;
      log.warn({ ...asked, sender: sender.name, channel, reason, detail, kind, ms: took }, 'message not accepted');
      events({ ...tried, outcome: failureOf(outcome), reason });
      span?.end(reason);
    } else {
      log.info({ ...asked, sender: sender.name, channel, id: outcome.id, ms: took }, 'message accepted');
      events({ ...tried, outcome: 'accepted', totalMs: Math.max(0, clock() - begunAt) });
      span?.end();
    }
    if (outcome instanceof DeliveryError && isSenderIll(outcome)) {
      if (breaker.failed())
        log.error({ ...asked, sender: sender.name }, 'sender is failing and is left out for a while');
    } else if (outcome instanceof DeliveryError && outcome.reason === 'busy') {
      breaker.abandoned();
    } else {
      // A provider that refuses a number is in good health.
      breaker.succeeded();
      if (before !== 'closed') log.info({ ...asked, sender: sender.name }, 'sender is back');
    }
    return outcome;
  }

  return {
    channels: channels.filter((channel) => senders.some((sender) => sender.channels.includes(channel))),

    async deliver(message) {
      const begun = clock();
      const refusal = (await numbers?.refusal(message.to)) ?? null;
      if (refusal !== null) {
        log.warn({ ...askedBy(message), channel: message.channel, reason: refusal }, 'number is not sent to');
        throw new DoorcodeError('delivery_rejected');
      }
      const able = guarded.filter(({ sender }) => sender.channels.includes(message.channel));
      let tried = 0;
      let maybeSent = false;
      let allowedMs = 0;
      for (const { sender, breaker } of able) {
        // An attempt cannot take longer than its timeout, whatever the clock says after it was set.
        const spentMs = Math.min(Math.max(0, clock() - begun), allowedMs);
        if (closed || spentMs >= deadlineMs) break;
        if (!breaker.allows()) continue;
        tried += 1;
        // The code's life starts when it is accepted, so what a sender before this one took costs the user nothing.
        const expiresAt = message.expiresAt + Math.floor(spentMs / 1000);
        const timeoutMs = Math.min(perTryMs, deadlineMs - spentMs);
        allowedMs += timeoutMs;
        const outcome = await turn(sender, breaker, { ...message, expiresAt }, timeoutMs, begun);
        if (!(outcome instanceof DeliveryError)) return outcome;
        maybeSent ||= outcome.maybeAccepted;
        if (outcome.kind === 'permanent') throw new DoorcodeError('delivery_rejected', { maybeSent });
      }
      if (tried > 0 || closed) throw new DoorcodeError('delivery_failed', { retryAfterSeconds, maybeSent });
      log.warn({ ...askedBy(message), channel: message.channel }, 'every sender is left out for a while');
      const soonestMs = Math.min(...able.map(({ breaker }) => breaker.retryAtMs)) - clock();
      throw new DoorcodeError('delivery_failed', { retryAfterSeconds: Math.max(1, soonestMs / 1000) });
    },

    states: () => Object.fromEntries(guarded.map(({ sender, breaker }) => [sender.name, breaker.state])),

    async close() {
      closed = true;
      for (const abort of underWay) abort();
      // One that cannot close must not keep the others from closing.
      await Promise.allSettled(senders.map((sender) => sender.close?.()));
    },
  };
}

/** The request id and trace id of a log line; empty for a message that belongs to no request. */
function askedBy({ trace = untraced }: Message): { readonly reqId?: string; readonly traceId?: string | undefined } {
  return trace === untraced ? {} : { reqId: trace.requestId, traceId: traceIdOf(trace) };
}

function failureOf({ kind, reason }: DeliveryError): Tried['outcome'] {
  if (kind === 'permanent') return 'rejected';
  return reason === 'timeout' || reason === 'busy' ? reason : 'failed';
}
