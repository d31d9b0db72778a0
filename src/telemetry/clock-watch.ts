import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { Log } from '../log.ts';

/** Notices that clocks of replicas differ. */
export interface ClockWatch {
  readonly events: Events;
  /** For readiness, while it was seen within the last minute. */
  readonly warnings: () => readonly string[];
}

/** For so long it is told; the log has a line as often. */
const TOLD_MS = 60_000;

/**
 * Looks at challenges that begin in our future, which only a replica whose clock is ahead of ours can have sealed. Which
 * of the two clocks is wrong cannot be told from here: see docs/adr/0009.
 */
export function createClockWatch({ clock, log }: { readonly clock: Clock; readonly log: Log }): ClockWatch {
  let seenAtMs = Number.NEGATIVE_INFINITY;
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  let seconds = 0;
  // The clock may be set meanwhile, also back.
  const isRecent = (momentMs: number) => Math.abs(clock() - momentMs) < TOLD_MS;

  return {
    events(event) {
      if (event.type !== 'clock_behind') return;
      seconds = isRecent(seenAtMs) ? Math.max(seconds, event.seconds) : event.seconds;
      seenAtMs = clock();
      if (isRecent(loggedAtMs)) return;
      loggedAtMs = seenAtMs;
      const reqId = event.trace.requestId;
      log.warn({ event: 'sys_clock_behind', reqId, seconds }, 'a replica has a clock that is ahead of this one');
    },
    warnings: () =>
      isRecent(seenAtMs) ? [`clock: ${seconds} s behind that of another replica, or that one is ahead`] : [],
  };
}
