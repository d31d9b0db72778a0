import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { connectionFree, createHttpAgent, maxConnections, maxResponseBytes } from '../../src/delivery/http-agent.ts';

async function listen(t: Test, listener: RequestListener): Promise<{ origin: string; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close().closeAllConnections());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

t.test('requests one after the other share a connection', async (t) => {
  const { origin, server } = await listen(t, (_, response) => void response.end('ok'));
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const agent = createHttpAgent(origin);
  for (let i = 0; i < 10; i++) {
    const { body } = await agent.request({ origin, path: '/', method: 'POST' });
    await body.text();
    await connectionFree();
  }
  await agent.close();
  t.equal(connections, 1);
});

t.test('a burst opens so many connections at the most, and none has two requests at once', async (t) => {
  const open = new Map<object, number>();
  let most = 0;
  const { origin } = await listen(t, ({ socket }, response) => {
    open.set(socket, (open.get(socket) ?? 0) + 1);
    most = Math.max(most, open.get(socket) ?? 0);
    setImmediate(() => {
      open.set(socket, (open.get(socket) ?? 0) - 1);
      response.end('ok');
    });
  });
  const agent = createHttpAgent(origin);
  const burst = Array.from({ length: maxConnections + 30 }, async () => {
    const { body } = await agent.request({ origin, path: '/', method: 'POST' });
    return body.text();
  });
  await Promise.all(burst);
  await agent.close();
  t.ok(open.size > 1 && open.size <= maxConnections, `${open.size} connections`);
  t.equal(most, 1);
});

t.test('an answer that is too large is not read to its end', async (t) => {
  const { origin } = await listen(t, (_, response) => void response.end('x'.repeat(maxResponseBytes + 1)));
  const agent = createHttpAgent(origin);
  t.teardown(() => agent.close());
  const { body } = await agent.request({ origin, path: '/', method: 'POST' });
  await t.rejects(body.text(), { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
});
