import type { Log } from '../log.ts';

/**
 * Reports that a return URL was shortened or dropped, so that its user arrives somewhere else.
 *
 * @param origin of the URL; undefined for a path on our own origin, and where the URL has none
 */
export type ReportLoss = (origin: string | undefined, reason: string) => void;

/** Clients choose the origins, so the number of log lines is bounded. */
const MAX_REPORTS = 100;
/** A host name has 253 characters at most (RFC 1035 §2.3.4). */
const MAX_ORIGIN_LENGTH = 300;

/** Logs each origin and reason once. The path and the query are not logged, because they may hold secrets. */
export function createLossReport(log: Log): ReportLoss {
  const reported = new Set<string>();
  return (origin, reason) => {
    const key = `${origin} ${reason}`;
    if (reported.size >= MAX_REPORTS || reported.has(key)) return;
    reported.add(key);
    log.warn(
      { event: 'sys_return_url_lost', origin: origin?.slice(0, MAX_ORIGIN_LENGTH), reason },
      `return URL: ${reason}`,
    );
    if (reported.size === MAX_REPORTS)
      log.warn({ event: 'sys_return_url_lost' }, 'return URL: no more losses are logged');
  };
}
