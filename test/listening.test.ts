import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import t from 'tap';
import { listen } from '../src/listening.ts';
import { createCertificate } from '../src/phone-simulator/certificate.ts';

t.test('a port that is taken is told', async (t) => {
  const first = await listen(createServer(), '127.0.0.1', 0);
  t.teardown(() => first.close());
  t.match(first.address, /^127\.0\.0\.1:\d+$/);
  const port = Number(first.address.split(':')[1]);
  await t.rejects(listen(createServer(), '127.0.0.1', port), { code: 'EADDRINUSE', port });
});

t.test('close cuts off whoever waits', async (t) => {
  const server = createServer();
  const listening = await listen(server, '127.0.0.1', 0);
  const socket = connect(Number(listening.address.split(':')[1]), '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(server, 'request');
  const cut = once(socket, 'close');
  await listening.close();
  await cut;
  t.equal(socket.destroyed, true);
});

t.test('and whoever has not finished the handshake', async (t) => {
  const { key, certificate } = createCertificate(Date.now());
  const server = createHttpsServer({ key, cert: certificate });
  const listening = await listen(server, '127.0.0.1', 0);
  const arrived = once(server, 'connection');
  const socket = connect(Number(listening.address.split(':')[1]), '127.0.0.1');
  socket.on('error', () => {});
  await arrived;
  const cut = once(socket, 'close');
  await listening.close();
  await cut;
  t.equal(socket.destroyed, true);
});
