import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { DoorcodeError } from '../errors.ts';
import { traceOf } from './request-trace.ts';

/** How often the delay of the event loop is looked at: an overload is told from a hiccup, and soon. */
const SAMPLE_MS = 250;
const RETRY_AFTER_SECONDS = 2;
/** The log has a line as often at the most. */
const LOG_EVERY_MS = 10_000;

/**
 * How many late samples in a row are overlooked. Somebody in the middle of a sign-in is not to be refused because of a
 * pause of the garbage collector, a library that is being loaded, or another replica that starts on the same processors;
 * such things are over within a second, and an overload is not.
 */
const OVERLOOKED_SAMPLES = 4;

/**
 * Tells an overload from a hiccup: asked whenever a request meets a late sample, it says whether to overlook that. Between
 * requests nobody asks, and while the event loop is held up there are none: that is no calm.
 */
export function createPatience(sampleMs: number): (nowMs: number, delayMs: number) => boolean {
  let sinceMs = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  const longestMs = OVERLOOKED_SAMPLES * sampleMs;
  return (nowMs, delayMs) => {
    // It is infinite when no sample was taken in time.
    if (nowMs - lastMs > 2 * (sampleMs + Math.min(delayMs, longestMs))) sinceMs = nowMs;
    lastMs = nowMs;
    return nowMs - sinceMs < longestMs;
  };
}

/**
 * Refuses requests with 503 `overloaded` while the event loop is late, before anything of them is looked at: whoever is
 * let in is answered in time, instead of everybody too late.
 *
 * @param maxDelayMs of the event loop, its mean over a quarter of a second
 * @param sampleMs for tests
 */
export async function registerOverload(app: FastifyInstance, maxDelayMs: number, sampleMs = SAMPLE_MS): Promise<void> {
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  const isHiccup = createPatience(sampleMs);

  await app.register(underPressure, {
    maxEventLoopDelay: maxDelayMs,
    sampleInterval: sampleMs,
    pressureHandler(request, _reply, _type, value) {
      if (request.routeOptions.config.operation?.alwaysAnswered || isHiccup(performance.now(), Number(value))) return;
      app.events?.({ type: 'refused', outcome: 'overloaded', trace: traceOf(request) });
      if (performance.now() - loggedAtMs >= LOG_EVERY_MS) {
        loggedAtMs = performance.now();
        app.log.error(
          { event: 'sys_overload', delayMs: Math.round(Number(value)) },
          'overloaded: requests are refused',
        );
      }
      throw new DoorcodeError('overloaded', { retryAfterSeconds: RETRY_AFTER_SECONDS });
    },
  });
}
