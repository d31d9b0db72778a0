import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestTls } from './tls.ts';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The form fields: `From`, `To`, `Body` or `Twiml`. */
  readonly form: Form;
  /** What the form was read from. */
  readonly body: string;
  /** Which TLS connection it came on, counted from 1. */
  readonly connection: number;
}

/** How a request is answered. Those with a body put the phone number into it, as the real ones do. */
export type Behaviour =
  /** 201 with a `sid`. */
  | 'accept'
  /** 401, code 20003. */
  | 'unauthorized'
  /** 422, code 21211: `To` is no number. */
  | 'invalid_number'
  /** 400, code 21610: the recipient has opted out. */
  | 'opted_out'
  /** 429, code 20429. */
  | 'too_many_requests'
  /** 500 with an HTML page. */
  | 'server_error'
  /** 200 with an HTML page, as a proxy or a wrong host would. */
  | 'not_the_api'
  /** The connection is cut without an answer. */
  | 'reset'
  /** No answer, until `release` or `close`. */
  | 'hang'
  /** 201, but the body stops half-way until `release` or `close`. */
  | 'slow'
  /** Anything else. An object is sent as JSON. */
  | Reply;

export interface FakeSignalWire {
  /** `127.0.0.1:PORT`, for SIGNALWIRE_SPACE or TWILIO_HOST. */
  readonly host: string;
  /** PEM, for in-process tests. */
  readonly ca: string;
  /** A file that holds `ca`, for NODE_EXTRA_CA_CERTS of a spawned process. Removed on `close`. */
  readonly caFile: string;
  /** Every request so far, in order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How many TLS connections there have been. */
  readonly connections: number;
  /** Queues behaviours, one for each of the next requests; when the queue is empty, `usually` holds. */
  behave(...next: Behaviour[]): void;
  /** Sets what happens to every request that no queued behaviour is for; `accept` at first. */
  usually(behaviour: Behaviour): void;
  /** Resolves when so many requests have arrived in all. */
  arrived(count: number): Promise<void>;
  /** Accepts what hangs, and finishes what is slow. */
  release(): void;
  close(): Promise<void>;
}

/** A SignalWire (or Twilio) of our own on TLS: it remembers what it is asked, and does what it is told. */
export async function startSignalWire(): Promise<FakeSignalWire> {
  const { key, cert, ca } = createTestTls();
  const folder = await mkdtemp(join(tmpdir(), 'doorcode-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, ca);

  const requests: RecordedRequest[] = [];
  const queue: Behaviour[] = [];
  const held: (() => void)[] = [];
  const numbers = new WeakMap<object, number>();
  const waiting = new Set<() => void>();
  let fallback: Behaviour = 'accept';
  let connections = 0;

  const server = createServer({ key, cert }, async (request, response) => {
    const body = await readBody(request).catch(() => null);
    if (body === null) return;
    const form = Object.fromEntries(new URLSearchParams(body));
    const { method = '', url: path = '', headers, socket } = request;
    requests.push({ method, path, headers, form, body, connection: numbers.get(socket) ?? 0 });
    for (const check of waiting) check();
    answer(queue.shift() ?? fallback, form, response);
  });
  // A connection stays open however long the test takes, because tests count connections.
  server.keepAliveTimeout = 0;
  server.on('secureConnection', (socket) => {
    connections += 1;
    numbers.set(socket, connections);
  });
  // A client that breaks off or does not trust us is part of the tests.
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  function answer(behaviour: Behaviour, form: Form, response: ServerResponse): void {
    if (behaviour === 'reset') response.socket?.destroy();
    else if (behaviour === 'hang') held.push(() => reply(response, replies.accept(form)));
    else if (behaviour === 'slow') held.push(replyInHalves(response, replies.accept(form)));
    else reply(response, typeof behaviour === 'object' ? behaviour : replies[behaviour](form));
  }

  return {
    host: `127.0.0.1:${port}`,
    ca,
    caFile,
    requests,
    get connections() {
      return connections;
    },
    behave: (...next) => void queue.push(...next),
    usually: (behaviour) => {
      fallback = behaviour;
    },
    arrived: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (requests.length < count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    release: () => {
      for (const finish of held.splice(0)) finish();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Form = Readonly<Record<string, string>>;

interface Reply {
  readonly status: number;
  readonly body: string | object;
}

const replies = {
  accept: ({ From, To, Body }: Form): Reply => ({
    status: 201,
    body: { sid: randomUUID(), account_sid: 'project', from: From, to: To, body: Body, status: 'queued' },
  }),
  unauthorized: () => failure(401, 20003, 'Authenticate'),
  invalid_number: ({ To }: Form) => failure(422, 21211, `The 'To' number ${To} is not a valid phone number.`),
  opted_out: ({ To }: Form) => failure(400, 21610, `Attempt to send to unsubscribed recipient ${To}`),
  too_many_requests: () => failure(429, 20429, 'Too Many Requests'),
  server_error: ({ To }: Form): Reply => ({ status: 500, body: `<!doctype html><p>Could not send to ${To}` }),
  not_the_api: (): Reply => ({ status: 200, body: '<!doctype html><title>Welcome</title>' }),
};

function failure(status: number, code: number, message: string): Reply {
  return { status, body: { status, code, message, more_info: `https://docs.example/errors/${code}` } };
}

function reply(response: ServerResponse, { status, body }: Reply): void {
  const [type, text] = typeof body === 'string' ? ['text/html', body] : ['application/json', JSON.stringify(body)];
  response.writeHead(status, { 'content-type': type }).end(text);
}

/** Sends the head and the first half; what is returned sends the rest. */
function replyInHalves(response: ServerResponse, { status, body }: Reply): () => void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.write(text.slice(0, 10));
  return () => response.end(text.slice(10));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}
