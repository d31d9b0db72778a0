import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { Agent } from 'undici';
import { createWebhookSender } from '../../src/delivery/webhook.ts';
import { verifySignature } from '../../src/delivery/webhook-signature.ts';
import { code, failure, message, number, patient, senderContract, trace, traceHeaders } from './sender.contract.ts';

const secret = 'a shared secret';
const now = 1_767_225_600;

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A receiver; answers with what it was sent when it refuses, so that a leak would show. */
const status =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end(`${code} ${number}`);

async function receiver(t: Test, answer: Answer) {
  const bodies: string[] = [];
  const requests: IncomingMessage[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    requests.push(request);
    bodies.push(await text(request));
    answer(response, request);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/codes?key=1`;
  const sender = createWebhookSender({ url, secret, clock: () => now * 1000 + 999 });
  const stop = () => server.close().closeAllConnections();
  t.teardown(async () => {
    await sender.close?.();
    stop();
  });
  return { sender, bodies, requests, connections: () => connections, url, stop };
}

t.test('the webhook keeps to the contract', async (t) => {
  const make = (answer: Answer) => async (t: Test) => (await receiver(t, answer)).sender;
  await senderContract(t, {
    accepting: make(status(204)),
    failing: {
      'a refusal that quotes the message': make(status(400)),
      'a server error that quotes the message': make(status(500)),
      'a connection that is cut': make((response) => void response.socket?.destroy()),
      'nothing that listens': async (t) => {
        const { sender, stop } = await receiver(t, status(200));
        stop();
        return sender;
      },
    },
  });
});

t.test('the receiver gets the message as JSON, signed', async (t) => {
  const { sender, bodies, requests } = await receiver(t, status(200));
  const sent = message({ text: 'Zoë’s code: 493817', expiresAt: now + 60 });
  await sender.send(sent, patient());
  const [request] = requests;
  const [body = ''] = bodies;
  t.strictSame(JSON.parse(body), { ...sent, expiresAt: '2026-01-01T00:01:00Z' });
  t.match(request, { method: 'POST', url: '/codes?key=1', headers: { 'content-type': 'application/json' } });
  const header = String(request?.headers['x-doorcode-signature']);
  t.match(header, new RegExp(`^t=${now},v1=[0-9a-f]{64}$`));
  t.ok(verifySignature(header, body, secret, now));
});

t.test('the trace is passed on, in headers', async (t) => {
  const { sender, bodies, requests } = await receiver(t, status(200));
  await sender.send(message({ trace }), patient());
  await sender.send(message(), patient());
  t.match(requests[0]?.headers, traceHeaders);
  t.notOk('traceparent' in (requests[1]?.headers ?? {}));
  t.notOk(bodies[0]?.includes('trace'));
});

t.test('the status decides', async (t) => {
  let answer = status(200);
  const { sender } = await receiver(t, (...args) => answer(...args));
  for (const accepted of [200, 201, 202, 204]) {
    answer = status(accepted);
    t.strictSame(await sender.send(message(), patient()), { sender: 'webhook' });
  }
  for (const rejected of [400, 401, 403, 404, 410, 422]) {
    answer = status(rejected);
    t.match(await failure(sender.send(message(), patient())), { kind: 'permanent', reason: 'rejected' });
  }
  for (const temporary of [304, 408, 429, 500, 502, 503]) {
    answer = status(temporary);
    const error = await failure(sender.send(message(), patient()));
    t.match(error, { kind: 'temporary', reason: `http_${temporary}` });
  }
});

t.test('a redirect is not followed', async (t) => {
  const { sender, requests } = await receiver(t, status(307, { location: '/elsewhere' }));
  t.match(await failure(sender.send(message(), patient())), { kind: 'temporary', reason: 'http_307' });
  t.equal(requests.length, 1);
});

t.test('messages one after the other share a connection, whatever is answered', async (t) => {
  let turn = 0;
  const { sender, connections } = await receiver(t, (...args) => status([200, 400, 500][turn++ % 3] ?? 200)(...args));
  for (let i = 0; i < 10; i++) await failure(sender.send(message(), patient()));
  t.equal(connections(), 1);
});

t.test('an answer that is too large changes nothing about its status', async (t) => {
  const { sender } = await receiver(t, (response) => void response.writeHead(200).end('x'.repeat(200_000)));
  t.strictSame(await sender.send(message(), patient()), { sender: 'webhook' });
});

t.test('an answer that never ends is no answer', async (t) => {
  const controller = new AbortController();
  const { sender } = await receiver(t, (response) => {
    response.writeHead(200).write('x');
    setImmediate(() => controller.abort());
  });
  t.match(await failure(sender.send(message(), controller.signal)), { kind: 'temporary', reason: 'timeout' });
});

t.test('an attempt that hangs ends with its signal', async (t) => {
  const controller = new AbortController();
  const { sender } = await receiver(t, () => controller.abort());
  t.match(await failure(sender.send(message(), controller.signal)), { kind: 'temporary', reason: 'timeout' });
});

t.test('a dispatcher that is handed in is used, and left open', async (t) => {
  const { url, requests } = await receiver(t, status(200));
  const dispatcher = new Agent();
  t.teardown(() => dispatcher.close());
  const sender = createWebhookSender({ url, secret, clock: () => now * 1000, dispatcher });
  await sender.close?.();
  t.strictSame(await sender.send(message(), patient()), { sender: 'webhook' });
  t.equal(requests.length, 1);
});
