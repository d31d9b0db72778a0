import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { DoorcodeError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { ObserveRequest } from './logging.ts';
import { problemBody } from './problem.ts';

/** Where it is told that there was somebody. */
export interface ClientErrorOptions {
  readonly events: Events;
  readonly observe?: ObserveRequest | undefined;
  readonly log: Logger;
  readonly newRequestId: () => string;
  /** Milliseconds of a clock that only runs forward, for tests. */
  readonly now?: () => number;
}

/** The log has a line as often at the most: whoever opens connections and sends nothing is not to fill it. */
const LOG_EVERY_MS = 10_000;

/**
 * Answers what Node's HTTP parser refuses before there is a request: headers that are too large (431), a request that
 * came too slowly (408), bytes that are not HTTP (400). The connection is closed after it. No hook sees any of it, so it
 * is told from here.
 */
export function createClientErrorHandler(options: ClientErrorOptions) {
  const { events, observe, log, newRequestId, now = () => performance.now() } = options;
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  let refused = 0;

  function tell(status: number): void {
    events({ type: 'refused', outcome: 'invalid_request', trace: { requestId: newRequestId() } });
    // When it began is not known: it is counted, and its time is none.
    observe?.('none', 'none', status, 0);
    refused += 1;
    if (now() - loggedAtMs < LOG_EVERY_MS) return;
    loggedAtMs = now();
    log.warn({ event: 'sys_unreadable', status, refused }, 'requests are refused that cannot be read');
    refused = 0;
  }

  return (error: Error & { code?: string }, socket: Socket): void => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const problem = PROBLEMS[error.code ?? ''] ?? MALFORMED;
    const body = JSON.stringify(problemBody(problem));
    socket.end(
      `HTTP/1.1 ${problem.status} ${problem.message}\r\nContent-Type: application/problem+json\r\n` +
        `Cache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
    tell(problem.status);
  };
}

const MALFORMED = new DoorcodeError('invalid_request', { detail: 'not an HTTP request' });
const PROBLEMS: Record<string, DoorcodeError> = {
  HPE_HEADER_OVERFLOW: new DoorcodeError('invalid_request', { status: 431, title: 'Request headers are too large' }),
  ERR_HTTP_REQUEST_TIMEOUT: new DoorcodeError('invalid_request', { status: 408, title: 'Request came too slowly' }),
};
