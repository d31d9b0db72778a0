import t from 'tap';
import { maxConnections } from '../../src/delivery/http-agent.ts';
import { createProviderHttp, providerOrigin } from '../../src/delivery/provider-http.ts';
import { startSignalWire } from '../support/signalwire.ts';
import { failure, patient } from './sender.contract.ts';

const request = {
  path: '/v1/things',
  username: 'id',
  password: 'tökən',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'a=1',
};

t.test('whatever the answer is, it is handed on: status, and JSON where it is some', async (t) => {
  const server = await startSignalWire();
  const http = createProviderHttp(`https://${server.host}`, { connect: { ca: server.ca } });
  t.teardown(async () => {
    await http.close();
    await server.close();
  });
  for (const [reply, answer] of [
    [
      { status: 202, body: { id: 1 } },
      { status: 202, body: { id: 1 } },
    ],
    [
      { status: 400, body: { error: 'x' } },
      { status: 400, body: { error: 'x' } },
    ],
    [
      { status: 500, body: '<p>no JSON' },
      { status: 500, body: null },
    ],
    [
      { status: 200, body: '"text"' },
      { status: 200, body: null },
    ],
  ] as const) {
    server.behave(reply);
    t.strictSame(await http.post(request, patient()), answer);
  }
  t.match(server.requests[0], { method: 'POST', path: '/v1/things', form: { a: '1' } });
  t.equal(server.requests[0]?.headers.authorization, `Basic ${Buffer.from('id:tökən').toString('base64')}`);
  t.equal(server.connections, 1);
  server.behave('reset');
  t.match(await failure(http.post(request, patient())), { name: 'DeliveryError', reason: 'connection' });
  t.equal(server.requests.length, 5, 'a message that was written to a reused connection is not written again');
});

t.test('what finds no connection free is told so at once, and waits in no queue', async (t) => {
  const server = await startSignalWire();
  server.usually('hang');
  // A slow machine may need longer than usual for so many TLS handshakes.
  const http = createProviderHttp(`https://${server.host}`, { connect: { ca: server.ca, timeout: 120_000 } });
  t.teardown(async () => {
    await http.close();
    await server.close();
  });
  const under = Array.from({ length: maxConnections }, () => http.post(request, patient()));
  t.match(await failure(http.post(request, patient())), { kind: 'temporary', reason: 'busy' });
  await server.arrived(maxConnections);
  server.usually('accept');
  server.release();
  await Promise.all(under);
  t.match(await http.post(request, patient()), { status: 201 }, 'and then there is room again');
});

t.test('the origin of a host', async (t) => {
  t.equal(providerOrigin('x', 'api.example.com'), 'https://api.example.com');
  t.equal(providerOrigin('x', '127.0.0.1:8443'), 'https://127.0.0.1:8443');
  for (const host of [
    '',
    'https://example.com',
    'example.com/api',
    'me@example.com',
    'exa mple.com',
    'h:99999',
    'a?b',
  ]) {
    t.throws(() => providerOrigin('x', host), { message: 'x: host must be a host name, with or without a port' }, host);
  }
});
