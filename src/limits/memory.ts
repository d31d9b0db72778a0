import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import type { Count, Limits } from './limits.ts';
import { roomFor } from './policy.ts';

export interface MemoryLimitsOptions {
  readonly clock: Clock;
  /** How many counters a rule may hold at a time. */
  readonly maxKeys?: (rule: string) => number;
}

interface Entry {
  count: number;
  resetAtMs: number;
}

const SWEEP_EVERY_MS = 1000;

/**
 * Counters in this process's memory: for one replica, and lost when it stops. Each rule holds a bounded number of them.
 * When a rule is full of counters that still run, a new key is refused and the old ones stay: a flood of keys can
 * neither grow the memory nor push out or reset what is being counted.
 */
export function createMemoryLimits({ clock, maxKeys = roomFor }: MemoryLimitsOptions): Limits {
  const rules = new Map<string, Map<string, Entry>>();
  const sweptAtMs = new Map<string, number>();

  function running(rule: string, key: string): Entry | undefined {
    const entry = rules.get(rule)?.get(key);
    return entry !== undefined && entry.resetAtMs > clock() ? entry : undefined;
  }

  function start(rule: string, key: string, ttlSeconds: number): Entry {
    const entries = rules.get(rule) ?? new Map<string, Entry>();
    rules.set(rule, entries);
    const now = clock();
    if (entries.size >= maxKeys(rule) && !entries.has(key)) makeRoom(rule, entries, now);
    const entry = { count: 1, resetAtMs: now + ttlSeconds * 1000 };
    // Deleted first, so that the map stays in the order in which counters started and makeRoom finds the oldest first.
    entries.delete(key);
    entries.set(key, entry);
    return entry;
  }

  function makeRoom(rule: string, entries: Map<string, Entry>, now: number): void {
    for (const [key, entry] of entries) {
      if (entry.resetAtMs > now) break;
      entries.delete(key);
    }
    if (entries.size < maxKeys(rule)) return;
    // A long-lived counter at the front may hide forgotten ones behind it. The whole rule is looked through at most
    // once a second, so that a flood of refused keys costs little.
    if (now - (sweptAtMs.get(rule) ?? Number.NEGATIVE_INFINITY) >= SWEEP_EVERY_MS) {
      sweptAtMs.set(rule, now);
      for (const [key, entry] of entries) if (entry.resetAtMs <= now) entries.delete(key);
    }
    if (entries.size >= maxKeys(rule)) throw new DoorcodeError('limits_unavailable', { retryAfterSeconds: 5 });
  }

  return {
    async add(rule, key, ttlSeconds, { sliding = false, max = Number.POSITIVE_INFINITY } = {}) {
      const entry = running(rule, key);
      if (entry === undefined) return { ...start(rule, key, ttlSeconds) };
      if (entry.count >= max) return { ...entry, count: entry.count + 1 };
      entry.count += 1;
      if (sliding) entry.resetAtMs = clock() + ttlSeconds * 1000;
      return { ...entry };
    },
    async giveBack(rule, key, counted) {
      const entry = running(rule, key);
      if (entry === undefined || (counted ?? entry).resetAtMs !== entry.resetAtMs) return;
      entry.count -= 1;
      // Nothing is left to remember: most events that are given back would otherwise fill the rule with zeros.
      if (entry.count === 0) rules.get(rule)?.delete(key);
    },
    async read(rule, key): Promise<Count> {
      return { ...(running(rule, key) ?? { count: 0, resetAtMs: clock() }) };
    },
    async claim(rule, key, ttlSeconds) {
      if (running(rule, key) !== undefined) return false;
      start(rule, key, ttlSeconds);
      return true;
    },
    async forget(rule, key) {
      rules.get(rule)?.delete(key);
    },
    async close() {
      rules.clear();
    },
  };
}
