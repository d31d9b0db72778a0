import { createBoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import type { Session } from '../session/session.ts';
import { type Assertions, MAX_TTL_SECONDS } from './assertion.ts';

/**
 * The assertion of a session for one app.
 *
 * @param endSeconds when the session ends, in Unix seconds; the assertion no later
 * @param audience the app's origin, the claim `aud`; undefined for the default audience of the signer
 */
export type AssertSession = (session: Session, endSeconds: number, audience?: string) => Promise<string>;

interface Signed {
  readonly token: Promise<string>;
  readonly signedAtMs: number;
  readonly goodUntilMs: number;
}

/** For how long one assertion serves all requests of its session: half its life, so that an app gets it in good time. */
const REUSE_MS = (MAX_TTL_SECONDS / 2) * 1000;

/**
 * Signs for a session and an audience at most once in half a minute. Signing takes longer than all else that a gateway's
 * question costs, and a page asks dozens of them. The audience is part of the key, so that no app receives an assertion
 * that was signed for another.
 *
 * @param maxAssertions how many are kept; the oldest is dropped first and signed again when it is needed
 */
export function createAssertionCache(assertions: Assertions, clock: Clock, maxAssertions = 10_000): AssertSession {
  const known = createBoundedMap<string, Signed>(maxAssertions);

  return ({ id, sub, amr, iat }, endSeconds, aud) => {
    const nowMs = clock();
    // Session ids have no blank (base64url), so two different pairs never share a key.
    const key = `${id} ${aud ?? ''}`;
    const last = known.get(key);
    // Before it was signed: the clock was set back, and to those who check it would live for longer than it may.
    if (last !== undefined && nowMs >= last.signedAtMs && nowMs < last.goodUntilMs) return last.token;
    // A part of a second is no life for an assertion, yet the session is good until its end.
    const ttlSeconds = Math.max(1, endSeconds - Math.floor(nowMs / 1000));
    const token = assertions.sign({ sub, amr, authTime: iat, aud }, ttlSeconds);
    known.set(key, { token, signedAtMs: nowMs, goodUntilMs: nowMs + Math.min(REUSE_MS, ttlSeconds * 1000) });
    return token;
  };
}
