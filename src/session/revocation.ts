import { createBoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import type { Limits } from '../limits/limits.ts';

/** Sessions that ended before their time. A sealed cookie cannot be taken back, so its id is remembered instead. */
export interface Revocation {
  /** @param untilSeconds Unix seconds at which the session would have ended by itself */
  revoke(sessionId: string, untilSeconds: number): Promise<void>;
  isRevoked(sessionId: string): Promise<boolean>;
}

interface Known {
  readonly revoked: boolean;
  readonly askedAtMs: number;
}

/** How long an answer of the store is good for; with the store's own time this keeps revocation within 5 s. */
const FRESH_MS = 4000;
/** After a failure the store is left alone for so long, so that no request waits for it in vain. */
const REST_MS = 1000;

/**
 * Remembers revoked sessions in the limit store, each for as long as its cookie could still be put back.
 *
 * Asking the store on each request would make every page of every app depend on it. Its answer about a session is kept
 * for 4 s instead: a session that is signed out is refused at once by the replica that did it, and by all others within
 * 5 s. While the store is away, the last known answer stands, and a session that nobody here has asked about counts as
 * good: an outage of the counters must not sign everybody out.
 *
 * @param maxKnown how many answers are kept; the oldest make room
 */
export function createRevocation(limits: Limits, clock: Clock, maxKnown = 50_000): Revocation {
  const known = createBoundedMap<string, Known>(maxKnown);
  const asking = new Map<string, Promise<boolean>>();
  let failedAtMs = Number.NEGATIVE_INFINITY;

  /** Whether a moment is less than so long ago. One that is yet to come says that the clock was set back: it is not. */
  function isWithin(ms: number, momentMs: number): boolean {
    const age = clock() - momentMs;
    return age >= 0 && age < ms;
  }

  function remember(sessionId: string, revoked: boolean): void {
    known.set(sessionId, { revoked, askedAtMs: clock() });
  }

  async function ask(sessionId: string): Promise<boolean> {
    try {
      const revoked = (await limits.read('revoked', sessionId)).count > 0;
      remember(sessionId, revoked);
      return revoked;
    } catch {
      failedAtMs = clock();
      return known.get(sessionId)?.revoked ?? false;
    } finally {
      asking.delete(sessionId);
    }
  }

  return {
    async revoke(sessionId, untilSeconds) {
      const leftSeconds = Math.ceil(untilSeconds - clock() / 1000);
      if (leftSeconds <= 0) return;
      await limits.claim('revoked', sessionId, leftSeconds);
      remember(sessionId, true);
    },
    async isRevoked(sessionId) {
      const last = known.get(sessionId);
      if (last !== undefined && (last.revoked || isWithin(FRESH_MS, last.askedAtMs))) return last.revoked;
      if (isWithin(REST_MS, failedAtMs)) return last?.revoked ?? false;
      // Requests that come together ask once.
      const answer = asking.get(sessionId) ?? ask(sessionId);
      asking.set(sessionId, answer);
      return answer;
    },
  };
}
