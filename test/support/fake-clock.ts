import type { Clock } from '../../src/clock.ts';

/** A clock that stands still until it is told to move. */
export interface FakeClock extends Clock {
  /** Moves the time on (or back) by seconds. */
  advance(seconds: number): void;
  set(unixSeconds: number): void;
}

/** 2030-01-01T00:00:00Z: far from the machine's own time, so that a stray `Date.now()` shows. */
export const START_SECONDS = 1_893_456_000;

export function fakeClock(startSeconds = START_SECONDS): FakeClock {
  let now = startSeconds * 1000;
  return Object.assign(() => now, {
    advance(seconds: number) {
      now += seconds * 1000;
    },
    set(unixSeconds: number) {
      now = unixSeconds * 1000;
    },
  });
}
