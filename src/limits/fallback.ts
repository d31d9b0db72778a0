import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createJournal } from './journal.ts';
import type { Count, Limits } from './limits.ts';
import { isFinal } from './policy.ts';

export interface FallbackLimitsOptions {
  readonly shared: Limits;
  readonly local: Limits;
  readonly clock: Clock;
  readonly log: Log;
  /** How many claims are kept for the shared store while it is away. */
  readonly maxClaims?: number;
}

export interface FallbackLimits extends Limits {
  /** Whether the last event was counted by this process alone. */
  isDegraded(): boolean;
}

/** What the two stores said; undefined of one that could not be asked. */
interface Answers<Result> {
  readonly ours: Result | undefined;
  readonly theirs: Result | undefined;
}

/**
 * Counts that go on when the shared store is away, in this process's memory.
 *
 * Everything is counted in both places all the time, so that on the first failure the local counts are no clean slate:
 * with r replicas the bound is then r times each limit, and never more. What was claimed while the store was away (a
 * code that was used, a session that was signed out, a lock) is told to it as soon as it answers again. Until all
 * replicas have done so, and for guesses for good, the stricter of both answers holds: what an outage has used up is
 * not given out again here. Counts of what may happen so often an hour or a day are not carried over.
 */
export function createFallbackLimits({ shared, local, clock, log, maxClaims }: FallbackLimitsOptions): FallbackLimits {
  const journal = createJournal(shared, clock, maxClaims);
  /** What each store counted of an event, so that it is given back where it was counted. */
  const parts = new WeakMap<Count, Answers<Count>>();
  let degraded = false;

  async function both<Result>(call: (limits: Limits) => Promise<Result>): Promise<Answers<Result>> {
    const [ours, theirs] = await Promise.allSettled([call(local), call(shared)]);
    if (theirs.status === 'fulfilled') {
      void journal.replay();
      return { ours: ours.status === 'fulfilled' ? ours.value : undefined, theirs: theirs.value };
    }
    if (!isAway(theirs.reason)) throw theirs.reason;
    if (ours.status === 'rejected') throw ours.reason;
    return { ours: ours.value, theirs: undefined };
  }

  /** A store that cannot be written to may still be read, so only events tell. */
  function tell(away: boolean): void {
    if (away === degraded) return;
    degraded = away;
    if (away) log.warn({}, 'limits are degraded: each replica counts for itself');
    else log.info({}, 'limits are shared again');
  }

  return {
    async add(rule, key, ttlSeconds, options) {
      const answers = await both((limits) => limits.add(rule, key, ttlSeconds, options));
      tell(answers.theirs === undefined);
      const count = { ...stricter(rule, answers) };
      parts.set(count, answers);
      return count;
    },
    async giveBack(rule, key, counted) {
      const { ours, theirs } = (counted && parts.get(counted)) ?? { ours: counted, theirs: counted };
      await both(async (limits) => {
        const part = limits === local ? ours : theirs;
        // Not counted there.
        if (counted !== undefined && part === undefined) return;
        await limits.giveBack(rule, key, part);
      });
    },
    read: async (rule, key) => stricter(rule, await both((limits) => limits.read(rule, key))),
    async claim(rule, key, ttlSeconds) {
      const { ours, theirs } = await both((limits) => limits.claim(rule, key, ttlSeconds));
      tell(theirs === undefined);
      if (theirs === undefined) {
        if (ours === true && !journal.note({ rule, key, untilMs: clock() + ttlSeconds * 1000, ttlSeconds })) {
          log.error({ rule }, 'more has happened than the limit store can be told of later');
        }
        return ours === true;
      }
      return isFinal(rule) ? theirs && ours !== false : theirs;
    },
    async forget(rule, key) {
      await both((limits) => limits.forget(rule, key));
    },
    isDegraded: () => degraded,
    async close() {
      journal.close();
      await Promise.all([shared.close(), local.close()]);
    },
  };
}

/** The answer that holds: the shared one, and of what is never reset the greater. */
function stricter(rule: string, { ours, theirs }: Answers<Count>): Count {
  if (theirs !== undefined && (ours === undefined || !isFinal(rule) || theirs.count >= ours.count)) return theirs;
  return ours as Count;
}

function isAway(error: unknown): boolean {
  return error instanceof DoorcodeError && error.code === 'limits_unavailable';
}
