import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** Whether this process is shutting down; one object that the process and its app share. */
export interface Lifecycle {
  draining: boolean;
}

/** Checks a part of the service that must work before requests arrive. Resolves to null, or to what is wrong. */
export type ReadinessCheck = () => Promise<string | null> | string | null;

/** The parts that a probe may exclude: sign-ins need the limit store, sessions do not. */
export const EXCLUDABLE = ['limits'] as const;
export type Excludable = (typeof EXCLUDABLE)[number];

export interface ReadinessReport {
  readonly ready: boolean;
  /** `ok`, or what is wrong, by the name of the part. */
  readonly checks: Readonly<Record<string, string>>;
  /** What works but needs the operator's attention. */
  readonly warnings: readonly string[];
}

/** @param exclude a part that is not checked */
export type ReportReadiness = (exclude?: Excludable) => Promise<ReadinessReport>;

export interface ReadinessOptions {
  readonly lifecycle: Lifecycle;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly warnings: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/** How long the result of a check is reused. Anyone can request `/readyz`, and the check of Redis writes to it. */
const CACHE_MS = 1000;

/**
 * Reports the readiness of the service. Each check runs at most once a second, requests that arrive meanwhile share its
 * result, and the log has one line whenever the result changes.
 */
export function createReadiness({ lifecycle, checks, warnings, clock, log }: ReadinessOptions): ReportReadiness {
  const cachedChecks = Object.entries(checks).map(([name, check]) => ({
    name,
    result: cached(name, check, clock, log),
  }));

  return async (exclude) => {
    const included = cachedChecks.filter(({ name }) => name !== exclude);
    const results = await Promise.all(included.map(async ({ name, result }) => [name, await result()] as const));
    const all = { process: lifecycle.draining ? 'shutting down' : 'ok', ...Object.fromEntries(results) };
    return { ready: Object.values(all).every((result) => result === 'ok'), checks: all, warnings: warnings() };
  };
}

function cached(name: string, check: ReadinessCheck, clock: Clock, log: Log): () => Promise<string> {
  let pending: Promise<string> | undefined;
  let finishedAtMs = Number.NaN;
  let last = 'ok';

  async function run(): Promise<string> {
    let result: string;
    let err: unknown;
    try {
      result = (await check()) ?? 'ok';
    } catch (error) {
      result = 'check failed';
      err = error;
    }
    finishedAtMs = clock();
    if (result !== last) {
      if (result === 'ok') log.info({ check: name }, 'readiness check passes again');
      else log.warn({ check: name, result, ...(err === undefined ? {} : { err }) }, 'readiness check failed');
      last = result;
    }
    return result;
  }

  return () => {
    const ageMs = clock() - finishedAtMs;
    // Not a number while the first check runs. Negative after the clock was set back.
    const expired = ageMs < 0 || ageMs >= CACHE_MS;
    if (pending === undefined || expired) {
      finishedAtMs = Number.NaN;
      pending = run();
    }
    return pending;
  };
}
