import type { Socket } from 'node:net';
import { DoorcodeError } from '../errors.ts';
import { problemBody } from './problem.ts';

/**
 * Answers what Node's HTTP parser refuses before there is a request: headers that are too large (431), a request that
 * came too slowly (408), bytes that are not HTTP (400). The connection is closed after it.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
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
}

const MALFORMED = new DoorcodeError('invalid_request', { detail: 'not an HTTP request' });
const PROBLEMS: Record<string, DoorcodeError> = {
  HPE_HEADER_OVERFLOW: new DoorcodeError('invalid_request', { status: 431, title: 'Request headers are too large' }),
  ERR_HTTP_REQUEST_TIMEOUT: new DoorcodeError('invalid_request', { status: 408, title: 'Request came too slowly' }),
};
