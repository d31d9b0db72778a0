/** Milliseconds since the Unix epoch. Passed as an argument everywhere, so that tests own the time. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** Many answers of one second tell of the same instant. */
let lastSeconds = Number.NaN;
let lastText = '';

/**
 * The instant as an ISO 8601 UTC string with whole seconds, the form every answer uses.
 *
 * @param unixSeconds whole seconds since the Unix epoch
 */
export function isoSeconds(unixSeconds: number): string {
  if (unixSeconds !== lastSeconds) {
    lastText = `${new Date(unixSeconds * 1000).toISOString().slice(0, 19)}Z`;
    lastSeconds = unixSeconds;
  }
  return lastText;
}
