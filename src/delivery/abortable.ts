import { DeliveryError } from './sender.ts';

/**
 * Waits for some work, but no longer than until the signal fires, whether or not the work heeds it: undici, for one,
 * does not look at the signal while it connects, and a host that drops packets would hold the user up.
 *
 * What the work still does after that goes unheard.
 *
 * @throws DeliveryError temporary `timeout` when the signal has fired; else what the work throws
 */
export async function abortable<T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const fire = () => reject(new DeliveryError('temporary', 'timeout'));
    if (signal.aborted) fire();
    else signal.addEventListener('abort', fire, { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    // Takes the listener off a signal that may outlive this work.
    settled.abort();
  }
}
