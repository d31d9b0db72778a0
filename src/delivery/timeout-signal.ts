/** A signal that fires by itself after a while, unless it is cleared before. */
export interface TimeoutSignal {
  readonly signal: AbortSignal;
  /** Fires it before its time. */
  abort(): void;
  /** Ends the timer. Always called: a timer that is left would hold its attempt in memory until it fires. */
  clear(): void;
}

/** @param ms milliseconds */
export type TimeoutSignalFactory = (ms: number) => TimeoutSignal;

/** Real time. Unlike `AbortSignal.timeout`, it can be cleared. */
export const timeoutSignal: TimeoutSignalFactory = (ms) => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, abort: () => controller.abort(), clear: () => clearTimeout(timer) };
};
