import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Count } from './limits.ts';

/** Counters for more keys than there is room for: keys share buckets, so a count may be too high and is never too low. */
export interface Overflow {
  add(key: string, ttlSeconds: number): Count;
  /** Takes one back in the window that `counted` was counted in. */
  giveBack(key: string, counted: Count): void;
  /** @returns the key's bucket, or null when nothing is being counted in it */
  read(key: string): Count | null;
}

/** 8 MB: a hundred new keys a second for an hour leave two of three buckets empty. */
const BUCKETS = 2 ** 20;

/**
 * A bucket's window begins with its first event, and nothing ends it early. Which keys share a bucket follows from a
 * secret of the process, so nobody can aim at another's.
 *
 * @param seed secret, of any length
 */
export function createOverflow(clock: Clock, seed: string, buckets = BUCKETS): Overflow {
  const counts = new Uint32Array(buckets);
  // Whole Unix seconds, rounded up.
  const resets = new Uint32Array(buckets);
  /** All windows of one rule have the same length. */
  let longestMs = 0;

  const bucketOf = (key: string) => hash('sha256', seed + key, 'buffer').readUInt32LE() % buckets;
  const at = (bucket: number): Count => {
    const nowMs = clock();
    // The clock was set back since the window began, which then counts as begun now.
    if ((resets[bucket] as number) * 1000 >= nowMs + longestMs + 1000) {
      resets[bucket] = Math.ceil((nowMs + longestMs) / 1000);
    }
    return { count: counts[bucket] as number, resetAtMs: (resets[bucket] as number) * 1000 };
  };
  const isRunning = ({ count, resetAtMs }: Count) => count > 0 && resetAtMs > clock();

  return {
    add(key, ttlSeconds) {
      const bucket = bucketOf(key);
      longestMs = Math.max(longestMs, ttlSeconds * 1000);
      if (isRunning(at(bucket))) counts[bucket] = (counts[bucket] as number) + 1;
      else {
        counts[bucket] = 1;
        resets[bucket] = Math.ceil(clock() / 1000 + ttlSeconds);
      }
      return at(bucket);
    },
    giveBack(key, { resetAtMs }) {
      const bucket = bucketOf(key);
      const now = at(bucket);
      if (isRunning(now) && now.resetAtMs === resetAtMs) counts[bucket] = now.count - 1;
    },
    read(key) {
      const now = at(bucketOf(key));
      return isRunning(now) ? now : null;
    },
  };
}
