import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import t, { type Test } from 'tap';
import { Agent } from 'undici';
import { closedWhileIdle } from '../src/closed-while-idle.ts';
import { createTestTls } from './support/tls.ts';

type Reaction = 'answer' | 'close' | 'reset' | 'half';

/** A server that reacts to each request, counted over all connections, as the list says. */
async function listen(t: Test, scheme: 'http' | 'https', reactions: readonly Reaction[]) {
  let requests = 0;
  const connections: Socket[] = [];
  const serve = (socket: Socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      const reaction = reactions[requests++];
      if (reaction === 'answer') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else if (reaction === 'half') socket.end('HTTP/1.1 20');
      else if (reaction === 'reset') connections.at(-1)?.resetAndDestroy();
      else socket.destroy();
    });
  };
  const { key, cert, ca } = createTestTls();
  const server = scheme === 'http' ? createServer(serve) : createTlsServer({ key, cert }, serve);
  server.on('connection', (socket: Socket) => void connections.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The connection stays open however long the test takes.
  const agent = new Agent({ connections: 1, keepAliveTimeout: 600_000, connect: { ca } });
  t.teardown(async () => {
    await agent.destroy();
    server.close();
  });
  const origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    requests: () => requests,
    async send() {
      const { body } = await agent.request({ origin, path: '/', method: 'POST', body: 'x' });
      await body.text();
      await new Promise(setImmediate);
    },
  };
}

for (const scheme of ['http', 'https'] as const) {
  for (const [reactions, expected] of [
    [['answer', 'close'], true],
    [['answer', 'reset'], true],
    [['answer', 'answer', 'close'], true],
    [['close'], false],
    [['reset'], false],
    [['answer', 'half'], false],
  ] as const) {
    t.test(`${scheme}: ${reactions.join(', ')}`, async (t) => {
      const { send, requests } = await listen(t, scheme, reactions);
      for (const _ of reactions.slice(1)) await send();
      const error = await send().then(
        () => null,
        (reason: unknown) => reason,
      );
      t.ok(error instanceof Error);
      t.equal(closedWhileIdle(error), expected);
      t.equal(requests(), reactions.length);
    });
  }
}

t.test('other errors', async (t) => {
  for (const error of [
    new Error('x'),
    Object.assign(new Error('x'), { code: 'ECONNRESET' }),
    'text',
    null,
    undefined,
  ]) {
    t.notOk(closedWhileIdle(error));
  }
});
