import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import t, { type Test } from 'tap';
import { createAppClient } from '../../src/attack/app-client.ts';
import { NotTried } from '../../src/attack/attack.ts';
import { freePort } from '../support/redis.ts';

const timeLeftMs = () => 60_000;

/** A server that shows the lines of each request, and switches to whatever is asked for if it is told to. */
async function startServer(t: Test, switches = false) {
  const seen: string[][] = [];
  const targets: (string | undefined)[] = [];
  const trailers: string[][] = [];
  const server = createServer(async (request, response) => {
    seen.push(request.rawHeaders);
    targets.push(request.url);
    for await (const _ of request);
    trailers.push(request.rawTrailers);
    response.setHeader('set-cookie', 'a=1').end('shown');
  });
  if (switches)
    server.on('upgrade', (request, socket) => {
      socket.end(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\nraw`,
      );
    });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  return {
    seen,
    targets,
    trailers,
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/some?path`,
  };
}

t.test('headers are sent in their order, repeated names included', async (t) => {
  const { seen, url } = await startServer(t);
  const app = createAppClient({ url, timeLeftMs });
  const answer = await app.ask([
    ['Upgrade', 'websocket'],
    ['X-Other', '1'],
    ['Upgrade', 'h2c'],
  ]);
  t.match(answer, { status: 200, text: 'shown', headers: { 'set-cookie': undefined } });
  t.strictSame(seen[0]?.slice(2, 8), ['Upgrade', 'websocket', 'X-Other', '1', 'Upgrade', 'h2c']);
  t.equal(app.origin, new URL(url).origin);
});

t.test('a request may name another host in its Host header and target, and end in trailers', async (t) => {
  const { seen, url, targets, trailers } = await startServer(t);
  const app = createAppClient({ url, timeLeftMs });
  await app.ask([], { host: 'other.example.com', targetHost: 'example.com:1' });
  t.strictSame(seen[0]?.slice(0, 2), ['Host', 'other.example.com']);
  t.equal(targets[0], 'http://example.com:1/some?path');
  await app.ask([['X-Other', '1']], { method: 'POST', trailers: [['Remote-User', 'x']] });
  t.strictSame(trailers, [[], ['Remote-User', 'x']]);
});

t.test('a switch of protocols is an answer', async (t) => {
  const { url } = await startServer(t, true);
  const app = createAppClient({ url, timeLeftMs });
  const answer = await app.ask([
    ['Upgrade', 'h2c'],
    ['Connection', 'Upgrade'],
  ]);
  t.match(answer, { status: 101, headers: { upgrade: 'h2c' }, text: '' });
});

t.test('without an answer, or with one without end, it goes on', async (t) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      if (data.includes('/cut')) socket.destroy();
      if (data.includes('/endless')) {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const more = () => {
          while (socket.write('x'.repeat(65_536)));
        };
        socket.on('drain', more);
        more();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const at = (path: string, answerMs = 60_000) => {
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}${path}`;
    return createAppClient({ url, timeLeftMs, answerMs }).ask([]);
  };
  t.match(await at('/cut'), { status: 0, text: 'ECONNRESET' });
  t.match(await at('/silent', 50), { status: 0 });
  const endless = await at('/endless');
  t.equal(endless.status, 200);
  t.ok(endless.text.length < 1024 * 1024);
});

t.test('an app that is not there, and a run that is over, are said', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}/`;
  await t.rejects(createAppClient({ url, timeLeftMs }).ask([]), NotTried);
  await t.rejects(createAppClient({ url, timeLeftMs: () => 0 }).ask([]), /this run is over/);
});
