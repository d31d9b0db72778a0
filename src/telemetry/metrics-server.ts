import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ReportReadiness } from '../http/readiness.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Media type of the page. */
  readonly contentType: string;
  /** Writes the page, asked for each time. */
  readonly page: () => Promise<string>;
  readonly reportReadiness: ReportReadiness;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

const TIMEOUT_MS = 10_000;

/**
 * `GET /metrics` and `GET /readyz` with all details, on a port of its own: what it tells is not for those who sign in, and a gateway in front of the service
 * need not know of it. It has nothing of the service's own server, so it answers in an overload as well.
 *
 * @throws Error, as `listen` does
 */
export async function startMetricsServer({
  host,
  port,
  contentType,
  page,
  reportReadiness,
}: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(
    { requestTimeout: TIMEOUT_MS, connectionsCheckingInterval: 1000 },
    (request, response) => {
      const [pathname, query] = (request.url ?? '').split('?', 2);
      if (pathname !== '/metrics' && pathname !== '/readyz') return void response.writeHead(404).end();
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
      }
      const headers = { 'cache-control': 'no-store' };
      const answer =
        pathname === '/metrics'
          ? page().then((text) => response.writeHead(200, { ...headers, 'content-type': contentType }).end(text))
          : reportReadiness(new URLSearchParams(query).get('exclude') === 'limits' ? 'limits' : undefined).then(
              ({ ready, checks, warnings }) =>
                response
                  .writeHead(ready ? 200 : 503, { ...headers, 'content-type': 'application/json' })
                  .end(JSON.stringify({ status: ready ? 'ready' : 'not_ready', checks, warnings })),
            );
      answer.catch(() => response.writeHead(500).end());
    },
  );
  server.listen(port, host);
  await once(server, 'listening');
  // Nothing is lost when the process ends without waiting for a scraper.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
