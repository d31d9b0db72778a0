import { EventEmitter } from 'node:events';
import { DeliveryError } from './sender.ts';

/**
 * Does some work, but waits for it no longer than until the signal fires, whether or not the work heeds it: undici, for
 * one, does not look at the signal while it connects, and a host that drops packets would hold the user up.
 *
 * What the work still does after that goes unheard.
 *
 * @param work not begun when the signal has fired already. It is handed an emitter of one `abort` event, which undici
 *   takes in place of a signal, at a sixth of the cost of one more listener on an AbortSignal
 * @throws DeliveryError temporary `timeout` when the signal has fired; else what the work throws
 */
export async function abortable<T>(
  work: (abort: EventEmitter) => PromiseLike<T>,
  signal: AbortSignal,
): Promise<Awaited<T>> {
  if (signal.aborted) throw new DeliveryError('temporary', 'timeout');
  const emitter = new EventEmitter();
  let fire = () => {};
  const aborted = new Promise<never>((_, reject) => {
    fire = () => {
      reject(new DeliveryError('temporary', 'timeout'));
      emitter.emit('abort');
    };
  });
  signal.addEventListener('abort', fire, { once: true });
  try {
    return await Promise.race([work(emitter), aborted]);
  } finally {
    // Off a signal that may outlive this work.
    signal.removeEventListener('abort', fire);
  }
}
