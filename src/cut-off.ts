/** Timeouts that can all be brought forward, for work that must not outlive the process. */
export interface CutOff {
  /** Starts one; `clear` ends its timer. After `cut`, its signal has fired from the first. */
  readonly timeoutSignal: (ms: number) => { readonly signal: AbortSignal; readonly clear: () => void };
  /** Fires every signal that is not cleared, now. */
  cut(): void;
}

export function createCutOff(): CutOff {
  // Rather than AbortSignal.any over one long-lived signal, which holds on to each signal that was ever derived from it.
  const running = new Set<AbortController>();
  let over = false;
  return {
    timeoutSignal(ms) {
      const controller = new AbortController();
      if (over) controller.abort();
      const timer = setTimeout(() => controller.abort(), ms);
      running.add(controller);
      const clear = () => {
        clearTimeout(timer);
        running.delete(controller);
      };
      return { signal: controller.signal, clear };
    },
    cut() {
      over = true;
      for (const controller of running) controller.abort();
    },
  };
}
