import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { serve } from '../src/serve.ts';
import { startSignalWire } from './support/signalwire.ts';
import { bob, writeUsers } from './support/user-files.ts';

async function start(t: Test, env: Record<string, string>) {
  const lines: string[] = [];
  const logs: string[] = [];
  const service = await serve({
    env: { PORT: '0', ...env },
    write: (line) => void lines.push(line),
    logDestination: { write: (line) => void logs.push(line) },
  });
  t.teardown(() => service.close(0, 0));
  const login = (username: string, password: string) =>
    fetch(`${service.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
  return { service, lines, logs, login };
}

/** A server on loopback that answers every POST with what it is told, and keeps what it got. */
async function listen(t: Test, answer: object = {}) {
  const bodies: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    bodies.push(JSON.parse(text));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies };
}

t.test('development: the demo user, codes on the console, and a start-up that says so', async (t) => {
  const { lines, login, service } = await start(t, {});
  t.match(lines.join('\n'), /listens on http:\/\/127\.0\.0\.1:\d+\n/);
  for (const text of ['demo with the password demo', 'console', 'keys were made', 'one replica']) {
    t.match(lines.join('\n'), text);
  }
  t.equal((await login('demo', 'demo')).status, 200);
  t.match(lines.at(-1), /^code \d{6} for \+15550100100 by sms, (60|59) s left$/);
  t.match(await (await fetch(`${service.url}/readyz`)).json(), { status: 'ready' });
});

t.test('users from a file, codes by webhook', async (t) => {
  const inbox = await listen(t);
  const { lines, login } = await start(t, {
    USERS_FILE: await writeUsers(t.testdir({}), [await bob()]),
    WEBHOOK_URL: inbox.url,
    WEBHOOK_SECRET: 'a secret of the tests',
    SESSION_KEYS: Buffer.alloc(32, 1).toString('base64'),
    APP_NAME: 'Example',
  });
  t.match(lines.join('\n'), 'codes are sent by webhook');
  t.notMatch(lines.join('\n'), 'keys were made');
  t.equal((await login('BOB', 'correct horse')).status, 200);
  t.match(inbox.bodies[0], {
    channel: 'sms',
    to: '+15550100101',
    text: /^Your Example code is \d{6}/,
    code: /^\d{6}$/,
  });
});

t.test('users from upstream', async (t) => {
  const upstream = await listen(t, { username: 'Carol', phone: '+15550100103' });
  const { login } = await start(t, { USERS_URL: upstream.url, USERS_TOKEN: 'token' });
  const response = await login('carol', 'secret');
  t.match(await response.json(), { status: 'otp_sent', to: '+1 ••• ••• ••03' });
  t.strictSame(upstream.bodies, [{ username: 'carol', password: 'secret' }]);
});

t.test('a SignalWire whose certificate nobody vouches for gets nothing', async (t) => {
  const signalwire = await startSignalWire();
  t.teardown(() => signalwire.close());
  const { lines, login } = await start(t, {
    SIGNALWIRE_SPACE: signalwire.host,
    SIGNALWIRE_PROJECT: 'project',
    SIGNALWIRE_TOKEN: 'token',
    SIGNALWIRE_NUMBER: '+15550100199',
  });
  t.match(lines.join('\n'), 'codes are sent by signalwire');
  const response = await login('demo', 'demo');
  t.match(await response.json(), { status: 503, code: 'delivery_failed' });
  t.equal(response.headers.get('set-cookie'), null);
  t.equal(signalwire.requests.length, 0);
});

t.test('an IPv6 address is written as one', async (t) => {
  const { service } = await start(t, { HOST: '::1' });
  t.match(service.url, /^http:\/\/\[::1\]:\d+$/);
  t.equal((await fetch(`${service.url}/healthz`)).status, 200);
});

t.test('faults outside the environment are faults of the configuration as well', async (t) => {
  const folder = t.testdir({ 'users.json': '[{"username":1}]' });
  const cases: [Record<string, string>, RegExp][] = [
    [{ USERS_FILE: `${folder}/users.json` }, /USERS_FILE: .*phone/s],
    [{ USERS_FILE: `${folder}/none.json` }, /USERS_FILE: /],
    [{ ORIGIN: `http://${'a.'.repeat(70)}example` }, /ORIGIN/],
  ];
  for (const [env, message] of cases) {
    await t.rejects(serve({ env: { PORT: '0', ...env }, write: () => {} }), { name: 'ConfigError', message });
  }
});

t.test('closing finishes what is in flight, then cuts what does not end', async (t) => {
  let release = () => {};
  const arrived = new Promise<void>((resolve) => {
    t.context = createServer((request, response) => {
      request.resume();
      release = () => response.end();
      resolve();
    });
  });
  await new Promise<void>((resolve) => t.context.listen(0, '127.0.0.1', resolve));
  t.teardown(() => t.context.close());
  const { service, login } = await start(t, {
    WEBHOOK_URL: `http://127.0.0.1:${(t.context.address() as AddressInfo).port}/`,
    WEBHOOK_SECRET: 'a secret of the tests',
  });
  const answer = login('demo', 'demo');
  await arrived;
  const closed = service.close(0, 60_000);
  release();
  t.equal((await answer).status, 200);
  await closed;
  await t.rejects(fetch(`${service.url}/healthz`));
});
