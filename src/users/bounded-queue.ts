import { DoorcodeError } from '../errors.ts';

export interface BoundedQueueOptions {
  /** Tasks that run at the same time, at least 1. */
  readonly concurrency: number;
  /** Tasks that may wait for a place, first come first served; 0 lets none wait. */
  readonly queueLength: number;
  /** How long a task may wait, milliseconds; as long as it takes when absent. */
  readonly maxWaitMs?: number;
  /** For tests: milliseconds, from whenever. */
  readonly now?: () => number;
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

/** A task that waits for its place. */
interface Waiter {
  readonly sinceMs: number;
  run(): void;
  refuse(error: DoorcodeError): void;
}

/**
 * A queue with an end: under a flood it says so at once, instead of letting everybody wait ever longer. Its length alone
 * does not bound the wait, because how fast it moves is up to the machine: whoever has waited too long when their turn
 * comes is refused, and the place goes to somebody who has not.
 *
 * @throws RangeError when the numbers leave no place to run
 * @throws DoorcodeError `overloaded` (from the returned function) when all waiting places are taken, or the wait was too
 *   long
 */
export function createBoundedQueue(options: BoundedQueueOptions): BoundedQueue {
  const { concurrency, queueLength, maxWaitMs = Number.POSITIVE_INFINITY, now = () => performance.now() } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new RangeError('concurrency must be 1 or more');
  if (!Number.isInteger(queueLength) || queueLength < 0) throw new RangeError('queueLength must be 0 or more');

  const waiting: Waiter[] = [];
  let running = 0;

  function handOver(): void {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      // The place goes straight to the next in line: `running` never dips, so no newcomer can overtake it.
      if (now() - next.sinceMs > maxWaitMs) {
        next.refuse(overloaded());
        continue;
      }
      next.run();
      return;
    }
    running -= 1;
  }

  const enqueue = async <Result>(task: () => Promise<Result>): Promise<Result> => {
    if (running < concurrency) running += 1;
    else {
      if (waiting.length >= queueLength) throw overloaded();
      await new Promise<void>((run, refuse) => {
        waiting.push({ sinceMs: now(), run, refuse });
      });
    }
    try {
      return await task();
    } finally {
      handOver();
    }
  };
  return Object.assign(enqueue, { depth: () => ({ running, waiting: waiting.length }) });
}

function overloaded(): DoorcodeError {
  return new DoorcodeError('overloaded', { retryAfterSeconds: 1 });
}
