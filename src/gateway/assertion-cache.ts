import { createBoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import type { Session } from '../session/session.ts';
import { type Assertions, MAX_TTL_SECONDS } from './assertion.ts';

/** The assertion of a session. @param endSeconds when the session ends, in Unix seconds; the assertion no later */
export type AssertSession = (session: Session, endSeconds: number) => Promise<string>;

interface Signed {
  readonly token: Promise<string>;
  readonly signedAtMs: number;
  readonly goodUntilMs: number;
}

/** For how long one assertion serves all requests of its session: half its life, so that an app gets it in good time. */
const REUSE_MS = (MAX_TTL_SECONDS / 2) * 1000;

/**
 * Signs for a session at most once in half a minute. Signing takes longer than all else that a gateway's question
 * costs, and a page asks dozens of them.
 *
 * @param maxSessions how many are remembered; the oldest make room, and are signed for again when they come back
 */
export function createAssertionCache(assertions: Assertions, clock: Clock, maxSessions = 10_000): AssertSession {
  const known = createBoundedMap<string, Signed>(maxSessions);

  return ({ id, sub, amr, iat }, endSeconds) => {
    const nowMs = clock();
    const last = known.get(id);
    // Before it was signed: the clock was set back, and to those who check it would live for longer than it may.
    if (last !== undefined && nowMs >= last.signedAtMs && nowMs < last.goodUntilMs) return last.token;
    // A part of a second is no life for an assertion, yet the session is good until its end.
    const ttlSeconds = Math.max(1, endSeconds - Math.floor(nowMs / 1000));
    const token = assertions.sign({ sub, amr, authTime: iat }, ttlSeconds);
    known.set(id, { token, signedAtMs: nowMs, goodUntilMs: nowMs + Math.min(REUSE_MS, ttlSeconds * 1000) });
    return token;
  };
}
