import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';

export interface Visit {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A plain HTTP server on loopback, until the end of the test. @returns its origin, and who came */
export async function startLoopbackServer(
  t: Test,
  answer: (visit: Visit, response: ServerResponse) => void = (_visit, response) => void response.end(),
): Promise<{ url: string; visits: readonly Visit[] }> {
  const visits: Visit[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const visit = { method, path: url, headers, body: await text(request) };
    visits.push(visit);
    answer(visit, response);
  }).listen(0, '127.0.0.1');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits };
}
