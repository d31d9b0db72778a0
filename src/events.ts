import { DoorcodeError, type ProblemCode } from './errors.ts';
import type { Trace } from './trace.ts';

/**
 * How something ended: `ok`, or the `code` that the client was told. Two are told apart from what the client learns:
 * `account_locked` at a login, where the answer is that of a wrong password, and `otp_expired_right`, the right code
 * after its time, where the answer is that of any expired one.
 */
export type Outcome = 'ok' | ProblemCode | 'otp_expired_right';

/** A person who signs in, or a server that has a number proved. */
export type Flow = 'sign_in' | 'verification';

/** Who and what an event is about. Adapters hash and mask: names and numbers are written nowhere. */
interface About {
  readonly flow: Flow;
  readonly trace: Trace;
  /** The username, as typed where nobody was found; of a verification the number. */
  readonly subject?: string | undefined;
  /** E.164. */
  readonly phone?: string | undefined;
  readonly channel?: 'sms' | 'voice' | undefined;
  /** Name of the API key. */
  readonly key?: string | undefined;
}

/** A code was asked for: with a password, with an API key, or again. */
export interface Asked extends About {
  readonly type: 'asked';
  readonly again: boolean;
  readonly outcome: Outcome;
  /** Which limit refused it. */
  readonly limit?: string | undefined;
  /** Who took the message. */
  readonly sender?: string | undefined;
  /** How long the user directory took, milliseconds. */
  readonly directoryMs?: number | undefined;
  /** How long it took until a sender had accepted the message, milliseconds. */
  readonly acceptedMs?: number | undefined;
}

/** A code was checked. */
export interface Checked extends About {
  readonly type: 'checked';
  readonly outcome: Outcome;
  /** Which limit refused it. */
  readonly limit?: string | undefined;
  readonly attemptsLeft?: number | undefined;
  /** How long after the code was accepted by its sender, milliseconds. */
  readonly ageMs?: number | undefined;
}

/** Wrong codes in a row have locked an account, or a number. */
export interface Locked extends About {
  readonly type: 'locked';
  readonly seconds: number;
}

export interface SignedOut {
  readonly type: 'signed_out';
  readonly trace: Trace;
  readonly subject: string;
}

/** A request was refused before anybody looked at what it wants. */
export interface Refused {
  readonly type: 'refused';
  readonly trace: Trace;
  readonly outcome: ProblemCode;
  /** Whether the request is a health check, which the log shows at level `debug` only. */
  readonly probe?: boolean;
}

/** One sender was handed a message. `busy`: it had no connection left. */
export interface Tried {
  readonly type: 'tried';
  readonly trace: Trace;
  readonly sender: string;
  readonly channel: 'sms' | 'voice';
  readonly outcome: 'accepted' | 'rejected' | 'timeout' | 'busy' | 'failed';
  /** A short word; never what an error quotes. */
  readonly reason?: string | undefined;
  readonly ms: number;
  /** Of the whole delivery, senders before this one included; of an accepted message. */
  readonly totalMs?: number | undefined;
}

/** A provider said what became of a message. */
export interface Receipted {
  readonly type: 'receipt';
  readonly sender: string;
  readonly channel: 'sms' | 'voice';
  /** The provider's own word. */
  readonly status: string | undefined;
}

/** Something sealed by a replica begins in our future: its clock is ahead of ours. */
export interface ClockBehind {
  readonly type: 'clock_behind';
  readonly trace: Trace;
  readonly seconds: number;
}

export type DoorcodeEvent = Asked | Checked | Locked | SignedOut | Refused | Tried | Receipted | ClockBehind;

/** Port: is told what happened. Returns at once and throws nothing, whatever it does with it. */
export type Events = (event: DoorcodeEvent) => void;

export const noEvents: Events = () => {};

/** Several as one. */
export function fanOut(all: readonly Events[]): Events {
  const [first = noEvents, second] = all;
  if (second === undefined) return first;
  return (event) => {
    for (const each of all) each(event);
  };
}

/** How something ended that threw. */
export function outcomeOf(error: unknown): ProblemCode {
  return error instanceof DoorcodeError ? error.code : 'internal_error';
}

/** Which limit an error tells of. */
export function limitOf(error: unknown): string | undefined {
  return error instanceof DoorcodeError ? error.limit : undefined;
}
