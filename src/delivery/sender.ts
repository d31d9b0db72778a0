import type { Trace } from '../trace.ts';

/** How a code travels: a text message, or a call that speaks it. */
export type Channel = 'sms' | 'voice';
export const channels: readonly Channel[] = ['sms', 'voice'];

export interface Message {
  readonly channel: Channel;
  /** E.164. */
  readonly to: string;
  /** What the phone shows, or for voice what is said, in the user's language. Holds the code. */
  readonly text: string;
  readonly code: string;
  /** BCP 47, e.g. `en`. */
  readonly locale: string;
  /** Unix seconds; the code lives at least until then. */
  readonly expiresAt: number;
  /** Of the request that asked for it; senders pass it on to their provider. */
  readonly trace?: Trace | undefined;
}

/** What a provider said when it accepted a message. */
export interface Receipt {
  /** The sender's `name`. */
  readonly sender: string;
  /** The provider's own id of the message, where it gives one. */
  readonly id?: string;
}

/** Port: hands a message to a provider. Every adapter passes `test/delivery/sender.contract.ts`. */
export interface Sender {
  readonly name: string;
  readonly channels: readonly Channel[];
  /**
   * Resolves when the provider has accepted the message, which is when the code's life starts.
   *
   * @param signal aborts the attempt (per-try timeout, overall deadline)
   * @throws DeliveryError for everything that a provider, the network or the signal can do
   */
  send(message: Message, signal: AbortSignal): Promise<Receipt>;
  /** Resolves when the sender can send; absent for those that can at once. */
  ready?(): Promise<void>;
  close?(): Promise<void>;
}

/**
 * Why a message was not accepted. `permanent`: this number cannot be reached, by any sender (invalid, opted out).
 * `temporary`: another sender, or a later try, may do it.
 */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly kind: 'permanent' | 'temporary';
  /** A short machine-readable word for logs: `http_500`, `timeout`, `connection`, `credentials`, `number`. */
  readonly reason: string;
  /** More for whoever reads the log: an error code, or where in the code. Never what an error quotes. */
  readonly detail: string | undefined;
  /**
   * Whether the provider may have accepted the message all the same, because the outcome is unknown: no answer came in
   * time, the connection broke, or a gateway answered in place of the provider. False means that it was not accepted.
   */
  readonly maybeAccepted: boolean;

  /** @param maybeAccepted by default derived from the reason, see {@link isOutcomeUnknown} */
  constructor(
    kind: 'permanent' | 'temporary',
    reason: string,
    detail?: string,
    maybeAccepted = kind === 'temporary' && isOutcomeUnknown(reason),
  ) {
    super(`${kind}: ${reason}`);
    this.kind = kind;
    this.reason = reason;
    this.detail = detail;
    this.maybeAccepted = maybeAccepted;
  }
}

// A complete answer other than 2xx is the provider's own statement that it did not accept the message. Three kinds of
// answers come from something between it and us: 502 and 504 say that a gateway got no (valid) response (RFC 9110
// §15.6.3, §15.6.5), and 520 to 599 are codes of content delivery networks for the same.
const OUTCOME_UNKNOWN = /^(?:timeout|connection|bad_response|unexpected|http_(?:2\d\d|50[24]|5[2-9]\d))$/;

/** Whether a failure for this reason leaves open if the provider accepted the message. */
function isOutcomeUnknown(reason: string): boolean {
  return OUTCOME_UNKNOWN.test(reason);
}

// Reasons that lie with the provider or the way to it. Others lie with one number, one country or one request, and must
// not take the sender away from everybody else.
const SENDER_IS_ILL =
  /^(?:timeout|connection|proxy|certificate|bad_response|credentials|unexpected|http_429|http_5\d\d)$/;

/** Whether a failure says that the next message, to whomever, will probably fail as well. */
export function isSenderIll({ kind, reason }: DeliveryError): boolean {
  return kind === 'temporary' && SENDER_IS_ILL.test(reason);
}

/**
 * What a sender throws against its contract is a fault in it, and no reason not to try the next one. Of the error only
 * its name and the place are kept: its message may quote the code, the number or the text.
 */
export function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (!(error instanceof Error)) return new DeliveryError('temporary', 'unexpected', typeof error);
  const place = /^ {4}(at .*)$/m.exec((error.stack ?? '').replace(error.message, ''))?.[1] ?? '';
  return new DeliveryError('temporary', 'unexpected', `${error.name} ${place}`.trim());
}
