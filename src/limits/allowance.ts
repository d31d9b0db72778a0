import { DoorcodeError } from '../errors.ts';
import type { Count, Limits } from './limits.ts';
import { boundedEnd, strictest, type Window } from './window.ts';

/** A limit and what it is counted by. */
export interface Allowance {
  readonly rule: string;
  readonly key: string;
  readonly windows: readonly Window[];
}

/** Events that have been counted and may now happen. */
export interface Taken {
  /** When the next such events are allowed, milliseconds since the Unix epoch; in the past when they are already. */
  readonly nextAtMs: number;
  /** Uncounts them all, because they did not happen. */
  giveBack(): Promise<void>;
}

interface Counted {
  readonly rule: string;
  readonly key: string;
  readonly max: number;
  readonly seconds: number;
  readonly counted: Count;
}

/**
 * Counts one event against all given limits at once, in one round trip, before it happens. When one of them is spent,
 * or cannot be counted, the event is uncounted everywhere: who is refused by one limit uses up no other.
 *
 * @throws DoorcodeError `too_many_requests` with the longest of the waits, `limits_unavailable`
 */
export async function take(limits: Limits, allowances: readonly Allowance[], nowMs: number): Promise<Taken> {
  const wanted = countersOf(allowances);
  const results = await Promise.allSettled(
    wanted.map(async ({ rule, key, max, seconds }): Promise<Counted> => {
      return { rule, key, max, seconds, counted: await limits.add(rule, key, seconds) };
    }),
  );
  const all = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const giveBack = async () => {
    await Promise.all(all.map(({ rule, key, counted }) => limits.giveBack(rule, key, counted)));
  };

  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    // The store is away: what cannot be given back now is forgotten with its window.
    await giveBack().catch(() => {});
    throw failed.reason;
  }
  const spent = all.filter(({ counted, max }) => counted.count > max);
  if (spent.length > 0) {
    await giveBack();
    const [limit] = (spent[0]?.rule ?? '').split('/');
    throw new DoorcodeError('too_many_requests', {
      retryAfterSeconds: (latest(spent, nowMs) - nowMs) / 1000,
      ...(limit === undefined ? {} : { limit }),
    });
  }
  return {
    nextAtMs: latest(
      all.filter(({ counted, max }) => counted.count === max),
      nowMs,
    ),
    giveBack,
  };
}

/**
 * When the next event is allowed by all given limits, milliseconds since the Unix epoch; in the past when it is already.
 * Nothing is counted.
 *
 * @param nowMs milliseconds since the Unix epoch
 * @throws DoorcodeError `limits_unavailable`
 */
export async function nextAllowed(limits: Limits, allowances: readonly Allowance[], nowMs: number): Promise<number> {
  const read = countersOf(allowances).map(async (counter) => {
    return { ...counter, counted: await limits.read(counter.rule, counter.key) };
  });
  return latest(
    (await Promise.all(read)).filter(({ counted, max }) => counted.count >= max),
    nowMs,
  );
}

/** One counter for each window. Windows of one length share a counter, which counts an event once: the strictest holds. */
function countersOf(allowances: readonly Allowance[]) {
  return allowances.flatMap(({ rule, key, windows }) =>
    strictest(windows).map(({ count, seconds }) => ({ rule: `${rule}/${seconds}`, key, max: count, seconds })),
  );
}

/** The end of the last window, at most the length of that window from now. */
function latest(all: readonly Counted[], nowMs: number): number {
  return Math.max(0, ...all.map(({ counted, seconds }) => boundedEnd(counted.resetAtMs, seconds * 1000, nowMs)));
}
