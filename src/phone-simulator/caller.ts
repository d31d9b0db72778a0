import { isLoopbackUrl } from '../loopback.ts';
import type { Callback } from './provider.ts';

/** One request to the service, and what came of it. */
export interface CalledBack {
  /** Without its query, which may hold a token. */
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  /** HTTP status, or null when there was no answer: also for another machine, which is not called. */
  readonly status: number | null;
}

export interface Caller {
  /** The last ones, in order of being answered. */
  readonly made: readonly CalledBack[];
  /** @returns null when there was no answer */
  call(callback: Callback): Promise<{ readonly status: number; readonly text: string } | null>;
  close(): void;
}

/** How long the service may take to answer. */
const TIMEOUT_MS = 10_000;
const MAX_REMEMBERED = 500;

/**
 * Makes the requests that a provider makes to the service, as long as that is on this machine: one behind a gateway's
 * name is told nothing. A failure is remembered and otherwise without effect.
 */
export function createCaller(): Caller {
  const closing = new AbortController();
  const made: CalledBack[] = [];

  async function exchange({
    url,
    method,
    fields,
    headers,
  }: Callback): Promise<{ status: number; text: string } | null> {
    try {
      const response = await fetch(url, {
        method,
        headers,
        ...(method === 'POST' ? { body: new URLSearchParams(fields) } : {}),
        // Who redirects could send us anywhere.
        redirect: 'manual',
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      return { status: response.status, text: await response.text() };
    } catch {
      return null;
    }
  }

  return {
    made,
    async call(callback) {
      const answer = isLoopbackUrl(callback.url) ? await exchange(callback) : null;
      const [url = ''] = callback.url.split('?');
      made.push({ url, fields: callback.fields, status: answer?.status ?? null });
      if (made.length > MAX_REMEMBERED) made.shift();
      return answer;
    },
    close: () => closing.abort(),
  };
}
