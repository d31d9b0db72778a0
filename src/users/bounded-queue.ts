import { DoorcodeError } from '../errors.ts';

export interface BoundedQueueOptions {
  /** Tasks that run at the same time, at least 1. */
  readonly concurrency: number;
  /** Tasks that may wait for a place, first come first served; 0 lets none wait. */
  readonly queueLength: number;
}

export interface BoundedQueue {
  /** Runs the task as soon as there is a place, and settles as the task does. */
  <Result>(task: () => Promise<Result>): Promise<Result>;
  /** How many tasks run, and how many wait. */
  depth(): QueueDepth;
}

export interface QueueDepth {
  readonly running: number;
  readonly waiting: number;
}

/**
 * A queue with an end: under a flood it says so at once, instead of letting everybody wait ever longer.
 *
 * @throws RangeError when the numbers leave no place to run
 * @throws DoorcodeError `overloaded` (from the returned function) when all waiting places are taken
 */
export function createBoundedQueue({ concurrency, queueLength }: BoundedQueueOptions): BoundedQueue {
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new RangeError('concurrency must be 1 or more');
  if (!Number.isInteger(queueLength) || queueLength < 0) throw new RangeError('queueLength must be 0 or more');

  const waiting: (() => void)[] = [];
  let running = 0;

  const enqueue = async <Result>(task: () => Promise<Result>): Promise<Result> => {
    if (running < concurrency) running += 1;
    else {
      if (waiting.length >= queueLength) throw new DoorcodeError('overloaded', { retryAfterSeconds: 1 });
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await task();
    } finally {
      // The place goes straight to the next in line: `running` never dips, so no newcomer can overtake it.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
  return Object.assign(enqueue, { depth: () => ({ running, waiting: waiting.length }) });
}
