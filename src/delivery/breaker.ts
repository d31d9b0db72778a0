import type { Clock } from '../clock.ts';

/** `closed`: calls go through; `open`: none do; `half_open`: one does, to see whether it is over. */
export type BreakerState = 'closed' | 'open' | 'half_open';

export interface Breaker {
  readonly state: BreakerState;
  /** When the next call may be tried, milliseconds since the Unix epoch; in the past while it is not open. */
  readonly retryAtMs: number;
  /** Whether a call may be made now. Who gets true must report how it went: a trial keeps all others waiting. */
  allows(): boolean;
  succeeded(): void;
  /** The call was not made after all; a trial is left to the next one. */
  abandoned(): void;
  /** @returns whether that opened it just now */
  failed(): boolean;
}

export interface BreakerOptions {
  readonly clock: Clock;
  /** Failures in a row after which calls stop. */
  readonly failures?: number;
  /** How long they stop, milliseconds. */
  readonly restMs?: number;
}

/**
 * A circuit breaker: users must not wait for a provider that has been failing for everyone before them. After a rest
 * one call is let through as a trial, and its outcome decides for the next rest.
 *
 * It counts failures in a row, not a share of failures in a window of time: at three in the morning there is one sign-in
 * a minute, no window is ever full, and each of them would wait for the whole timeout. It has no timers: what it knows
 * is two numbers, and the clock is asked when a call comes.
 */
export function createBreaker({ clock, failures = 5, restMs = 30_000 }: BreakerOptions): Breaker {
  let inARow = 0;
  let retryAtMs = Number.NEGATIVE_INFINITY;
  let trial = false;

  const isOpen = () => inARow >= failures;

  /** At most one rest from now, also when the clock has been set back since the rest began. */
  function boundedRetryAtMs(): number {
    retryAtMs = Math.min(retryAtMs, clock() + restMs);
    return retryAtMs;
  }

  return {
    get state() {
      if (!isOpen()) return 'closed';
      return trial || clock() >= boundedRetryAtMs() ? 'half_open' : 'open';
    },
    get retryAtMs() {
      return boundedRetryAtMs();
    },
    allows() {
      if (!isOpen()) return true;
      if (trial || clock() < boundedRetryAtMs()) return false;
      trial = true;
      return true;
    },
    succeeded() {
      inARow = 0;
      trial = false;
    },
    abandoned() {
      trial = false;
    },
    failed() {
      // Calls that were under way when it opened end later; they are no news, and do not make the rest longer.
      const late = isOpen() && !trial;
      inARow += 1;
      trial = false;
      if (!isOpen() || late) return false;
      retryAtMs = clock() + restMs;
      return inARow === failures;
    },
  };
}
