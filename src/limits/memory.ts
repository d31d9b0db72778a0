import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import type { Count, Limits } from './limits.ts';
import { createOverflow, type Overflow } from './overflow.ts';
import { isOpenToAnybody, roomFor } from './policy.ts';
import { boundedEnd } from './window.ts';

export interface MemoryLimitsOptions {
  readonly clock: Clock;
  /** How many counters a rule may hold at a time. */
  readonly maxKeys?: (rule: string) => number;
  /** Which rules, once full, count further keys in buckets that they share; the others refuse them. */
  readonly overflows?: (rule: string) => boolean;
  /** How many buckets a rule has for these. */
  readonly overflowBuckets?: number;
}

export interface MemoryLimits extends Limits {
  /** How many counters a rule holds, without its buckets. Counters that have ended are part of it until they are deleted. */
  size(rule: string): number;
}

interface Entry {
  count: number;
  /** Earlier than it was when the window began if the clock has been set back since. */
  resetAtMs: number;
  /** As it was when the window began, by which a refund finds its window. */
  firstResetAtMs: number;
  readonly ttlMs: number;
}

const SWEEP_EVERY_MS = 1000;
/** Fewer counters than this are not worth looking through. */
const SWEEP_LEAST = 1024;

/**
 * Counters in this process's memory: for one replica, and lost when it stops. Each rule holds a bounded number of them.
 * When a rule is full of counters that still run, the old ones stay, and a new key is refused or, where anybody can make
 * up keys, counted in a bucket together with others: a flood of keys can neither grow the memory, nor push out or reset
 * what is being counted, nor keep everybody else out.
 */
export function createMemoryLimits({
  clock,
  maxKeys = roomFor,
  overflows = isOpenToAnybody,
  overflowBuckets,
}: MemoryLimitsOptions): MemoryLimits {
  const seed = randomBytes(16).toString('hex');
  const overflow = new Map<string, Overflow>();
  const rules = new Map<string, Map<string, Entry>>();
  const sweptAtMs = new Map<string, number>();
  /** At how many counters a rule is looked through next for forgotten ones. */
  const sweepAtSize = new Map<string, number>();

  function running(rule: string, key: string): Entry | undefined {
    const entry = rules.get(rule)?.get(key);
    return entry !== undefined && isRunning(entry, clock()) ? entry : undefined;
  }

  function isRunning(entry: Entry, now: number): boolean {
    entry.resetAtMs = boundedEnd(entry.resetAtMs, entry.ttlMs, now);
    return entry.resetAtMs > now;
  }

  /** @returns null when the rule is full */
  function start(rule: string, key: string, ttlSeconds: number): Entry | null {
    const entries = rules.get(rule) ?? new Map<string, Entry>();
    rules.set(rule, entries);
    const now = clock();
    if (entries.size >= (sweepAtSize.get(rule) ?? SWEEP_LEAST)) {
      sweep(entries, now);
      // Twice as many, so that looking costs each new counter the same, however many there are.
      sweepAtSize.set(rule, Math.max(SWEEP_LEAST, entries.size * 2));
    }
    if (entries.size >= maxKeys(rule) && !entries.has(key) && !makeRoom(rule, entries, now)) return null;
    const ttlMs = ttlSeconds * 1000;
    const entry = { count: 1, resetAtMs: now + ttlMs, firstResetAtMs: now + ttlMs, ttlMs };
    // Deleted first, so that the map stays in the order in which counters started and makeRoom finds the oldest first.
    entries.delete(key);
    entries.set(key, entry);
    return entry;
  }

  function makeRoom(rule: string, entries: Map<string, Entry>, now: number): boolean {
    for (const [key, entry] of entries) {
      if (isRunning(entry, now)) break;
      entries.delete(key);
    }
    if (entries.size < maxKeys(rule)) return true;
    // A long-lived counter at the front may hide forgotten ones behind it. The whole rule is looked through at most
    // once a second, so that a flood of refused keys costs little.
    if (Math.abs(now - (sweptAtMs.get(rule) ?? Number.NEGATIVE_INFINITY)) >= SWEEP_EVERY_MS) {
      sweptAtMs.set(rule, now);
      sweep(entries, now);
    }
    return entries.size < maxKeys(rule);
  }

  function sweep(entries: Map<string, Entry>, now: number): void {
    for (const [key, entry] of entries) if (!isRunning(entry, now)) entries.delete(key);
  }

  function share(rule: string, key: string, ttlSeconds: number): Count {
    if (!overflows(rule)) throw full();
    const buckets = overflow.get(rule) ?? createOverflow(clock, seed, overflowBuckets);
    overflow.set(rule, buckets);
    return buckets.add(key, ttlSeconds);
  }

  return {
    size: (rule) => rules.get(rule)?.size ?? 0,
    async add(rule, key, ttlSeconds, { sliding = false, max = Number.POSITIVE_INFINITY } = {}) {
      const entry = running(rule, key);
      if (entry === undefined) {
        // A bucket that is counting this key goes on with it, also when there is room again.
        const own = overflow.get(rule)?.read(key) ? null : start(rule, key, ttlSeconds);
        return own === null ? share(rule, key, ttlSeconds) : countOf(own);
      }
      if (entry.count >= max) return { ...countOf(entry), count: entry.count + 1 };
      entry.count += 1;
      if (sliding) entry.resetAtMs = clock() + ttlSeconds * 1000;
      return countOf(entry);
    },
    async giveBack(rule, key, counted) {
      const entry = running(rule, key);
      if (entry === undefined && counted !== undefined) overflow.get(rule)?.giveBack(key, counted);
      if (entry === undefined) return;
      const { resetAtMs } = counted ?? entry;
      if (resetAtMs !== entry.resetAtMs && resetAtMs !== entry.firstResetAtMs) return;
      entry.count -= 1;
      // Nothing is left to remember: most events that are given back would otherwise fill the rule with zeros.
      if (entry.count === 0) rules.get(rule)?.delete(key);
    },
    async read(rule, key): Promise<Count> {
      const entry = running(rule, key);
      if (entry !== undefined) return countOf(entry);
      return overflow.get(rule)?.read(key) ?? { count: 0, resetAtMs: clock() };
    },
    async claim(rule, key, ttlSeconds) {
      if (running(rule, key) !== undefined) return false;
      if (start(rule, key, ttlSeconds) === null) throw full();
      return true;
    },
    async forget(rule, key) {
      rules.get(rule)?.delete(key);
    },
    async close() {
      rules.clear();
      overflow.clear();
    },
  };
}

function countOf({ count, resetAtMs }: Entry): Count {
  return { count, resetAtMs };
}

function full(): DoorcodeError {
  return new DoorcodeError('limits_unavailable', { retryAfterSeconds: 5 });
}
