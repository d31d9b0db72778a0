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
  ask(headers: readonly HeaderLine[], form?: RequestForm): Promise<AppAnswer>;
}

export type HeaderLine = readonly [name: string, value: string];

/** What of a request differs from a plain GET to the URL of the app. */
export interface RequestForm {
  readonly method?: string;
  /** The `Host` header, in place of the app's own. */
  readonly host?: string;
  /** Sends the request target in absolute form, `https://HOST/path` (RFC 9112 §3.2.2), with this host. */
  readonly targetHost?: string;
  /** Sends a chunked body and these fields after it (RFC 9110 §6.5). */
  readonly trailers?: readonly HeaderLine[];
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
  const { origin, host, protocol, pathname, search } = new URL(url);
  const send = protocol === 'https:' ? requestHttps : requestHttp;
  return {
    origin,
    async ask(headers, { method = 'GET', host: sentHost = host, targetHost, trailers } = {}) {
      const leftMs = timeLeftMs();
      if (leftMs <= 0) throw new NotTried('this run is over (--minutes)');
      const signal = AbortSignal.timeout(Math.ceil(Math.min(answerMs, leftMs)));
      // A flat list is sent as it is, repeated names included.
      const outgoing = send(url, {
        agent: false,
        signal,
        method,
        headers: [
          ...['Host', sentHost],
          ...(trailers === undefined ? [] : ['Transfer-Encoding', 'chunked']),
          ...headers.flat(),
        ],
        ...(targetHost !== undefined && { path: `${protocol}//${targetHost}${pathname}${search}` }),
        ...(ca && { ca }),
      });
      // Once it is destroyed below, its errors mean nothing.
      outgoing.on('error', () => {});
      if (trailers !== undefined) {
        outgoing.write('body');
        outgoing.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
      }
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
