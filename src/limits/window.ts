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
