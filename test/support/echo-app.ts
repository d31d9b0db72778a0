import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** A request as the app received it. Header and trailer lines are `[name, value]`, in their order and spelling. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly trailers: readonly (readonly [string, string])[];
  readonly bodyBytes: number;
  /** The start of the body, as text. */
  readonly body: string;
}

export interface EchoApp {
  readonly url: string;
  readonly received: readonly Received[];
  /** Sends one server-sent event to every client of `/events`. @returns how many clients there are */
  sendEvent(data: string): number;
}

/**
 * An app behind a gateway. It answers with what it received, with status 401 at `/refused` and with a cookie of its own at
 * `/cookie`. It agrees to everything a client could gain from: it switches to any protocol that an Upgrade header names,
 * and it opens a tunnel for CONNECT. What it received is what the gateway let through.
 */
export async function startEchoApp(t: Test): Promise<EchoApp> {
  const received: Received[] = [];
  const record = (request: IncomingMessage, bodyBytes = 0, body = '') => {
    const { method = '', url: path = '', rawHeaders, rawTrailers } = request;
    const entry = { method, path, headers: pairs(rawHeaders), trailers: pairs(rawTrailers), bodyBytes, body };
    received.push(entry);
    return entry;
  };
  const listeners = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    let bodyBytes = 0;
    let body = '';
    try {
      for await (const chunk of request) {
        bodyBytes += chunk.length;
        if (body === '') body = chunk.subarray(0, 100).toString();
      }
    } catch {
      // The gateway broke the request off.
      return;
    }
    if (request.url === '/events') {
      listeners.add(response.writeHead(200, { 'content-type': 'text/event-stream' }));
      response.on('close', () => listeners.delete(response)).flushHeaders();
      return;
    }
    if (request.url === '/refused') response.statusCode = 401;
    if (request.url === '/cookie') response.setHeader('set-cookie', 'theirs=1; Path=/');
    response.setHeader('content-type', 'application/json').end(JSON.stringify(record(request, bodyBytes, body)));
  });
  server.on('upgrade', (request, socket) => {
    record(request);
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n' +
        `Upgrade: ${request.headers.upgrade}\r\nSec-WebSocket-Accept: ${acceptKey(request)}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  server.on('connect', (request, socket) => {
    record(request);
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const sendEvent = (data: string) => {
    for (const response of listeners) response.write(`data: ${data}\n\n`);
    return listeners.size;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, sendEvent };
}

/** RFC 6455 §4.2.2: the proof that the server read the WebSocket handshake. */
function acceptKey({ headers }: IncomingMessage): string {
  return createHash('sha1')
    .update(`${headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as [string, string]] : []));
}
