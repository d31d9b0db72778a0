import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Test } from 'tap';

/** An HTTP proxy on loopback: tunnels (CONNECT), and requests in absolute-form. */
export interface HttpProxy {
  readonly url: string;
  /** `127.0.0.1:PORT` of each tunnel that a client asked for, in order. */
  readonly tunnels: readonly string[];
  /** The URL of each request in absolute-form, in order. */
  readonly forwarded: readonly string[];
  /** The header Proxy-Authorization of each, in order; undefined where there is none. */
  readonly credentials: readonly (string | undefined)[];
  /** What the next ones get: `pass` at first, a status in place of the tunnel or the answer, or no answer at all. */
  behave(behaviour: 'pass' | 'hang' | number): void;
}

export interface HttpProxyOptions {
  readonly host?: '127.0.0.1' | '::1';
  /** Where the tunnel to a host really leads, for names that nobody else can resolve: `127.0.0.1:PORT`. */
  readonly routes?: Readonly<Record<string, string>>;
}

export async function startHttpProxy(
  t: Test,
  { host = '127.0.0.1', routes = {} }: HttpProxyOptions = {},
): Promise<HttpProxy> {
  const tunnels: string[] = [];
  const forwarded: string[] = [];
  const credentials: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  let behaviour: 'pass' | 'hang' | number = 'pass';
  const note = ({ headers }: IncomingMessage) => credentials.push(headers['proxy-authorization']);

  const server = createServer((request, response) => {
    const { url = '', method = 'GET', headers } = request;
    forwarded.push(url);
    note(request);
    if (behaviour === 'hang') return;
    if (behaviour !== 'pass') return void response.writeHead(behaviour).end();
    const { 'proxy-authorization': _, ...rest } = headers;
    const onward = forward(url, { method, headers: rest }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request: IncomingMessage, near: Socket) => {
    const target = request.url ?? '';
    tunnels.push(target);
    note(request);
    near.on('error', () => near.destroy());
    sockets.add(near);
    if (behaviour === 'hang') return;
    if (behaviour !== 'pass') return void near.end(`HTTP/1.1 ${behaviour} No\r\ncontent-length: 0\r\n\r\n`);
    const { hostname, port } = new URL(`http://${routes[target] ?? target}`);
    const far = connect(Number(port || 80), hostname.replace(/^\[(.*)\]$/, '$1'), () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    sockets.add(far);
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host === '::1' ? '[::1]' : host}:${port}`,
    tunnels,
    forwarded,
    credentials,
    behave(next) {
      behaviour = next;
    },
  };
}
