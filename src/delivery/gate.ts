import { DeliveryError } from './sender.ts';

/** Does some work, unless too much of it is under way. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets so much work be under way at a time, and refuses what is more at once: it must not wait in a queue of ours, where
 * the time it spends would be taken for the provider's.
 *
 * @returns a gate that throws DeliveryError temporary `busy`, and else what the work throws
 */
export function createGate(max: number): Gate {
  let underWay = 0;
  return async (work) => {
    if (underWay >= max) throw new DeliveryError('temporary', 'busy');
    underWay += 1;
    try {
      return await work();
    } finally {
      underWay -= 1;
    }
  };
}
