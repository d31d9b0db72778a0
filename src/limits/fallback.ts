import { DoorcodeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Limits } from './limits.ts';

export interface FallbackLimits extends Limits {
  /** Whether the last call was answered by this process's own counts. */
  isDegraded(): boolean;
}

/**
 * Counts that go on when the shared store is away, in this process's memory. Everything is counted in both places all
 * the time, so that on the first failure the local counts are no clean slate: with r replicas the bound is then r times
 * each limit, and never more.
 */
export function createFallbackLimits(shared: Limits, local: Limits, log: Log): FallbackLimits {
  let degraded = false;

  async function both<Result>(call: (limits: Limits) => Promise<Result>): Promise<Result> {
    const [ours, theirs] = await Promise.allSettled([call(local), call(shared)]);
    const away = theirs.status === 'rejected';
    if (away && !isAway(theirs.reason)) throw theirs.reason;
    if (away !== degraded) {
      degraded = away;
      if (away) log.warn({}, 'limits are degraded: each replica counts for itself');
      else log.info({}, 'limits are shared again');
    }
    if (!away) return theirs.value;
    if (ours.status === 'rejected') throw ours.reason;
    return ours.value;
  }

  return {
    add: (rule, key, ttlSeconds, options) => both((limits) => limits.add(rule, key, ttlSeconds, options)),
    giveBack: (rule, key, counted) => both((limits) => limits.giveBack(rule, key, counted)),
    read: (rule, key) => both((limits) => limits.read(rule, key)),
    claim: (rule, key, ttlSeconds) => both((limits) => limits.claim(rule, key, ttlSeconds)),
    forget: (rule, key) => both((limits) => limits.forget(rule, key)),
    isDegraded: () => degraded,
    async close() {
      await Promise.all([shared.close(), local.close()]);
    },
  };
}

function isAway(error: unknown): boolean {
  return error instanceof DoorcodeError && error.code === 'limits_unavailable';
}
