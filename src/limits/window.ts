/** So many events in so many seconds, counted from the first. */
export interface Window {
  readonly count: number;
  readonly seconds: number;
}

/**
 * Reads a limit as it is written in settings: `5/600`, several windows as `5/600,20/86400`, or `off`.
 *
 * @returns the windows, none for `off`, or null for what is no limit
 */
export function parseWindows(text: string): Window[] | null {
  if (text === 'off') return [];
  const windows = text.split(',').map((part) => {
    const { count, seconds } = /^\s*(?<count>\d{1,9})\/(?<seconds>\d{1,8})\s*$/.exec(part)?.groups ?? {};
    return { count: Number(count ?? 0), seconds: Number(seconds ?? 0) };
  });
  return windows.every(({ count, seconds }) => count > 0 && seconds > 0) ? windows : null;
}

/**
 * The end of a period, at most one period from now. An end that is further away belongs to a period that began in the
 * future: the clock was set back since. The period then counts as begun now, so that no wait is longer than one period.
 *
 * @param endMs milliseconds since the Unix epoch
 */
export function boundedEnd(endMs: number, periodMs: number, nowMs: number): number {
  return Math.min(endMs, nowMs + periodMs);
}

/** Windows of different lengths; of several with one length, the one with the smallest count. */
export function strictest(windows: readonly Window[]): Window[] {
  const bySeconds = new Map<number, Window>();
  for (const window of windows) {
    const known = bySeconds.get(window.seconds);
    if (known === undefined || window.count < known.count) bySeconds.set(window.seconds, window);
  }
  return [...bySeconds.values()];
}
