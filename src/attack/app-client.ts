import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { NotTried } from './attack.ts';

/** What the app behind the gateway answered. */
export interface AppAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  /** Header names in lower case; without those of Set-Cookie, which the gateway adds for the browser. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends requests to the operator's own app, through its gateway. */
export interface AppClient {
  /** Origin of the app, as its gateway sees it. */
  readonly origin: string;
  /** @param headers names and values in their order; a name may occur several times */
  ask(headers: readonly (readonly [name: string, value: string])[]): Promise<AppAnswer>;
}

export interface AppClientOptions {
  readonly url: string;
  /** PEM, of an authority that is trusted in place of those of Node. */
  readonly ca?: string | undefined;
  readonly timeLeftMs: () => number;
  /** How long a whole answer may take; for tests. */
  readonly answerMs?: number;
}

const MAX_ANSWER_BYTES = 512 * 1024;
const ANSWER_MS = 15_000;

/**
 * A client of Node's own `http`, because undici refuses to send `Upgrade` and repeated headers. It closes the connection
 * as soon as the app switches protocols.
 */
export function createAppClient({ url, ca, timeLeftMs, answerMs = ANSWER_MS }: AppClientOptions): AppClient {
  const { origin, host, protocol } = new URL(url);
  const send = protocol === 'https:' ? requestHttps : requestHttp;
  return {
    origin,
    async ask(headers) {
      const leftMs = timeLeftMs();
      if (leftMs <= 0) throw new NotTried('this run is over (--minutes)');
      const signal = AbortSignal.timeout(Math.ceil(Math.min(answerMs, leftMs)));
      // A flat list is sent as it is, repeated names included.
      const outgoing = send(url, {
        agent: false,
        signal,
        headers: ['Host', host, ...headers.flat()],
        ...(ca && { ca }),
      });
      // Once it is destroyed below, its errors mean nothing.
      outgoing.on('error', () => {});
      outgoing.end();
      try {
        const [response, socket] = await Promise.race([once(outgoing, 'response'), once(outgoing, 'upgrade')]);
        const { 'set-cookie': _, ...rest } = response.headers;
        // After a switch of protocols there is nothing to read.
        const text = socket === undefined ? await readText(response) : '';
        socket?.destroy();
        return { status: response.statusCode ?? 0, headers: rest, text };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
          throw new NotTried(`${origin} cannot be reached (${code})`);
        return { status: 0, headers: {}, text: code ?? message };
      } finally {
        outgoing.destroy();
      }
    },
  };
}

/** The body as text. An app may send events without end, so no more than 512 KiB is read. */
async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) break;
  }
  return text;
}
