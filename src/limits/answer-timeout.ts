/** In how many steps the time is counted. However long the event loop stands still, it is one of them at the most. */
const STEPS = 8;

/** No answer came in time. */
export class AnswerTimeout extends Error {
  override readonly name = 'AnswerTimeout';
}

interface Waiter {
  readonly sinceStep: number;
  readonly giveUp: (error: AnswerTimeout) => void;
}

/**
 * Bounds how long an answer is waited for, not counting time in which this process could not have heard it: when the
 * event loop was held up, timers run before sockets are read, and a plain timeout would give up an answer that has
 * already arrived. One timer serves all that wait.
 *
 * @param timeoutMs for each answer, an eighth more at the most, of the time in which it could have been heard
 * @returns what settles like the promise that it is given, or rejects with {@link AnswerTimeout}
 */
export function createAnswerTimeout(timeoutMs: number): <Answer>(answer: Promise<Answer>) => Promise<Answer> {
  /** The one who has waited longest comes first. */
  const waiting = new Set<Waiter>();
  let step = 0;
  let timer: NodeJS.Timeout | undefined;

  function takeStep(): void {
    step += 1;
    for (const waiter of waiting) {
      if (step - waiter.sinceStep <= STEPS) break;
      waiting.delete(waiter);
      waiter.giveUp(new AnswerTimeout(`no answer within ${timeoutMs} ms`));
    }
    if (waiting.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return (answer) =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = { sinceStep: step, giveUp: reject };
      waiting.add(waiter);
      // A process ends without waiting for the next step: what keeps it alive is the connection.
      timer ??= setInterval(takeStep, timeoutMs / STEPS).unref();
      answer.then(
        (value) => {
          waiting.delete(waiter);
          resolve(value);
        },
        (error) => {
          waiting.delete(waiter);
          reject(error);
        },
      );
    });
}
