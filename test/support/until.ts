import { setTimeout } from 'node:timers/promises';

/** How often a condition is checked, milliseconds. */
const INTERVAL_MS = 20;
/** Far longer than anything takes, even on a busy machine, milliseconds. */
const LIMIT_MS = 60_000;

/**
 * Waits until a condition holds.
 *
 * @param name of what is waited for, for the error
 * @throws Error after a minute
 */
export async function until(name: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAt > LIMIT_MS) throw new Error(`${name}: not within a minute`);
    await setTimeout(INTERVAL_MS);
  }
}
