import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** undici's name for a closed connection, and the kernel's names for a connection that was reset. */
const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

interface Written {
  readonly socket: Socket;
  /** How much the connection had received when the request was written: responses to earlier requests. */
  readonly bytesRead: number;
}

const written = new WeakMap<object, Written>();
const raced = new WeakSet<object>();

// undici reports by these channels which connection it writes a request to (undici.nodejs.org, "Diagnostics Channel
// Support"); its errors do not say so.
subscribe('undici:client:sendHeaders', (message) => {
  const { request, socket } = message as { request: object; socket: Socket };
  written.set(request, { socket, bytesRead: socket.bytesRead });
});
subscribe('undici:request:error', (message) => {
  const { request, error } = message as { request: object; error: NodeJS.ErrnoException };
  const sent = written.get(request);
  if (sent === undefined || !CLOSED.has(error.code ?? '')) return;
  if (sent.bytesRead > 0 && sent.socket.bytesRead === sent.bytesRead) raced.add(error);
});

/**
 * Whether a request failed because the server closed an idle kept-alive connection at the moment when the request was
 * written to it: the connection had carried requests before, and no byte of a response arrived. A client may then repeat
 * the request on another connection (RFC 9112 §9.3.1), if it does no harm when the server has processed it all the same.
 */
export function closedWhileIdle(error: unknown): boolean {
  return typeof error === 'object' && error !== null && raced.has(error);
}
