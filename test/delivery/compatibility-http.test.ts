import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { createCompatibilityHttp, type SdkRequest } from '../../src/delivery/compatibility-http.ts';
import { type FakeSignalWire, startSignalWire } from '../support/signalwire.ts';
import { failure, leaks, number, patient } from './sender.contract.ts';

const request: SdkRequest = {
  method: 'POST',
  uri: 'https://somewhere.example/2010-04-01/Accounts/project/Messages.json',
  username: 'project',
  password: 'tökən',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  data: { To: number, From: '+15550100999', Body: 'Hé & <b>=1\n@host #1' },
};

async function setup(t: Test): Promise<{ server: FakeSignalWire; http: ReturnType<typeof createCompatibilityHttp> }> {
  const server = await startSignalWire();
  const http = createCompatibilityHttp(`https://${server.host}`, { connect: { ca: server.ca } });
  t.teardown(async () => {
    server.release();
    await http.close();
    await server.close();
  });
  return { server, http };
}

t.test('a request goes to the configured host, with credentials and form', async (t) => {
  const { server, http } = await setup(t);
  const { statusCode, body } = await http.request(request, patient());
  t.equal(statusCode, 201);
  t.match(body.sid, /^[0-9a-f-]{36}$/);
  const [seen] = server.requests;
  t.match(seen, { method: 'POST', path: '/2010-04-01/Accounts/project/Messages.json', form: request.data });
  t.equal(seen?.headers['content-type'], 'application/x-www-form-urlencoded');
  t.equal(seen?.headers.authorization, `Basic ${Buffer.from('project:tökən').toString('base64')}`);
});

t.test('requests one after the other share a TLS connection, also after refusals', async (t) => {
  const { server, http } = await setup(t);
  server.behave('accept', 'invalid_number', 'server_error', 'too_many_requests');
  for (let i = 0; i < 10; i++) await failure(http.request(request, patient()));
  t.equal(server.requests.length, 10);
  t.equal(server.connections, 1);
});

t.test('after a broken connection the next request opens a new one', async (t) => {
  const { server, http } = await setup(t);
  server.behave('reset');
  t.match(await failure(http.request(request, patient())), { kind: 'temporary', reason: 'connection' });
  await http.request(request, patient());
  t.equal(server.connections, 2);
});

t.test('an answer that is not the API’s is no acceptance', async (t) => {
  const { server, http } = await setup(t);
  for (const body of ['', '{', 'null', '"sid"', {}, { sid: '' }, { sid: 5 }, '<!doctype html>', 'x'.repeat(70_000)]) {
    server.behave({ status: 200, body });
    const error = await failure(http.request(request, patient()));
    t.match(error, { kind: 'temporary', reason: 'bad_response' }, JSON.stringify(body).slice(0, 40));
  }
});

t.test('the signal ends an attempt whatever it waits for', async (t) => {
  const { server, http } = await setup(t);
  for (const behaviour of ['hang', 'slow'] as const) {
    server.behave(behaviour);
    const controller = new AbortController();
    const sent = failure(http.request(request, controller.signal));
    await server.arrived(server.requests.length + 1);
    controller.abort();
    const error = await sent;
    t.match(error, { kind: 'temporary', reason: 'timeout' }, behaviour);
    t.notOk(leaks(error));
  }
});

t.test('the signal ends an attempt that is still shaking hands', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const http = createCompatibilityHttp(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  const controller = new AbortController();
  const sent = failure(http.request(request, controller.signal));
  const [socket] = (await once(silent, 'connection')) as [Socket];
  controller.abort();
  t.match(await sent, { kind: 'temporary', reason: 'timeout' });
  socket.destroy();
  silent.close();
  await http.close();
});

t.test('a server that nobody vouches for is not spoken to', async (t) => {
  const { server } = await setup(t);
  const http = createCompatibilityHttp(`https://${server.host}`);
  t.teardown(() => http.close());
  t.match(await failure(http.request(request, patient())), { kind: 'temporary', reason: 'certificate' });
  t.equal(server.requests.length, 0);
});

t.test('a host where nothing listens', async (t) => {
  const { server, http } = await setup(t);
  await server.close();
  t.match(await failure(http.request(request, patient())), { kind: 'temporary', reason: 'connection' });
});
