import type { Clock } from '../clock.ts';
import type { Limits } from './limits.ts';
import { boundedEnd } from './window.ts';

/** Something that happened once and must not happen again. */
export interface Claim {
  readonly rule: string;
  readonly key: string;
  /** When it may be claimed again, milliseconds since the Unix epoch. */
  readonly untilMs: number;
  /** How long it lasts from its beginning. */
  readonly ttlSeconds: number;
}

/** Claims that the shared store has not been told of. */
export interface Journal {
  /** @returns false when there is no room for it: nothing older makes room */
  note(claim: Claim): boolean;
  /** Tells the store, each claim for what is left of its time. What it does not take is kept. Never rejects. */
  replay(): Promise<void>;
  close(): void;
}

const EVERY_MS = 1000;
/** One round trip carries so many. */
const AT_ONCE = 500;

/**
 * Keeps what a store could not be told while it was away, and tries again every second, so that other replicas learn of
 * it soon although nobody may ask this one for anything.
 *
 * @param maxClaims a hundred bytes or so each
 */
export function createJournal(store: Limits, clock: Clock, maxClaims = 100_000): Journal {
  const claims = new Map<string, Claim>();
  let timer: NodeJS.Timeout | undefined;
  let replaying = false;

  function close(): void {
    clearInterval(timer);
    timer = undefined;
  }

  async function tell(name: string, { rule, key, untilMs, ttlSeconds }: Claim): Promise<void> {
    const now = clock();
    const leftSeconds = Math.ceil((boundedEnd(untilMs, ttlSeconds * 1000, now) - now) / 1000);
    if (leftSeconds > 0) await store.claim(rule, key, leftSeconds);
    claims.delete(name);
  }

  async function replay(): Promise<void> {
    if (replaying || claims.size === 0) return;
    replaying = true;
    try {
      while (claims.size > 0) {
        await Promise.all([...claims].slice(0, AT_ONCE).map(([name, claim]) => tell(name, claim)));
      }
      close();
    } catch {
      // Away again.
    } finally {
      replaying = false;
    }
  }

  return {
    note(claim) {
      if (claims.size >= maxClaims) {
        for (const [name, { untilMs }] of claims) if (untilMs <= clock()) claims.delete(name);
        if (claims.size >= maxClaims) return false;
      }
      claims.set(`${claim.rule}:${claim.key}`, claim);
      timer ??= setInterval(replay, EVERY_MS).unref();
      return true;
    },
    replay,
    close,
  };
}
