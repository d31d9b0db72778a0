import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { ConfigError } from '../src/environment.ts';
import { createRandomBytes } from '../src/random.ts';
import { serve } from '../src/serve.ts';
import { makeApiKey } from '../src/verifications/api-keys.ts';
import { startSignalWire } from './support/signalwire.ts';
import { until } from './support/until.ts';
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
  t.match(lines.at(-1), /^code \d{6} for \+15550100100 by sms, \d+ s left$/);
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
  const { lines, login, service } = await start(t, {
    SIGNALWIRE_SPACE: signalwire.host,
    SIGNALWIRE_PROJECT: 'project',
    SIGNALWIRE_TOKEN: 'token',
    SIGNALWIRE_NUMBER: '+15550100199',
  });
  t.match(lines.join('\n'), 'codes are sent by signalwire');
  // Not ready before the SDK is loaded.
  await until('the SDK is loaded', async () => (await fetch(`${service.url}/readyz`)).status === 200);
  const response = await login('demo', 'demo');
  t.match(await response.json(), { status: 503, code: 'delivery_failed' });
  t.equal(response.headers.get('set-cookie'), null);
  t.equal(signalwire.requests.length, 0);
});

t.test('with ASSERTION_KEY its public key is published, and nothing else of it', async (t) => {
  // RFC 8037 appendix A.
  const seed = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url').toString('base64');
  const { service, lines, logs } = await start(t, { ASSERTION_KEY: seed, LOG_LEVEL: 'trace' });
  const text = await (await fetch(`${service.url}/.well-known/jwks.json`)).text();
  t.match(JSON.parse(text), { keys: [{ kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k' }] });
  for (const told of [text, lines.join('\n'), logs.join('\n')]) t.notMatch(told, /nWGxne[_/]9WmC6hEr0kuwsxERJxWl7MmkZ/);
});

t.test('an IPv6 address is written as one', async (t) => {
  const { service } = await start(t, { HOST: '::1' });
  t.match(service.url, /^http:\/\/\[::1\]:\d+$/);
  t.equal((await fetch(`${service.url}/healthz`)).status, 200);
});

t.test('the unspecified IPv6 address is all addresses, those of IPv4 as well', async (t) => {
  const { service } = await start(t, { HOST: '::' });
  const { port } = new URL(service.url);
  for (const host of ['127.0.0.1', '[::1]']) {
    const response = await fetch(`http://${host}:${port}/readyz`);
    t.match(await response.json(), { status: 'ready', checks: { process: 'ok' } }, host);
  }
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

t.test('all faults are told together, those in what the settings name included', async (t) => {
  const env = {
    PORT: 'x',
    USERS_FILE: `${t.testdir({})}/none.json`,
    ORIGIN: `http://${'a.'.repeat(70)}example`,
  };
  const faultsOf = (env: Record<string, string>) =>
    serve({ env, write: () => {} }).catch((error: Error) => (error instanceof ConfigError ? error.faults : error));
  t.match(await faultsOf(env), [/^PORT: /, /^USERS_FILE: .*ENOENT/, /^APP_NAME, ORIGIN: .*"en" takes/]);
  t.match(await faultsOf({ APP_NAME: 'x'.repeat(200) }), [/^APP_NAME: must have/]);
  t.equal([await faultsOf({ APP_NAME: 'x'.repeat(200) })].flat().length, 1, 'nothing is told twice');
});

t.test('on a port of its own choice, its own pages are not taken for another site', async (t) => {
  const { service } = await start(t, { RESEND_COOLDOWN: '0' });
  // As from a browser that sends no Sec-Fetch-Site.
  const from = async (origin: string) => {
    const headers = { 'content-type': 'application/json', origin };
    const body = JSON.stringify({ username: 'demo', password: 'demo' });
    return (await fetch(`${service.url}/login`, { method: 'POST', headers, body })).status;
  };
  const { port } = new URL(service.url);
  t.equal(await from(service.url), 200);
  t.equal(await from(`http://localhost:${port}`), 200);
  t.equal(await from('http://127.0.0.1:0'), 403);
  t.equal(await from(`http://127.0.0.1:${Number(port) - 1}`), 403);
  t.equal(await from('https://evil.example'), 403);
});

t.test('what should not stay as it is, is told in the log', async (t) => {
  const { logs } = await start(t, {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    SESSION_KEYS: Buffer.alloc(32, 1).toString('base64'),
    ORIGIN: 'https://login.example.com',
    USERS_URL: 'http://users.example.com/',
    USERS_TOKEN: 'token',
    WEBHOOK_URL: 'https://codes.example.com/',
    WEBHOOK_SECRET: 'a secret of the tests',
  });
  const warnings = logs.map((line) => JSON.parse(line)).filter(({ level }) => level === 40);
  t.match(warnings, [{ msg: 'USERS_URL: passwords travel unencrypted; use https' }]);
  t.equal(warnings.length, 1);
});

t.test('a language whose messages do not fit is no fault, and is told in the log', async (t) => {
  const { logs } = await start(t, {
    APP_NAME: 'An app name of thirty letters',
    ORIGIN: 'http://login.accounts.example.com',
  });
  t.match(JSON.parse(logs.find((line) => line.includes('"level":40')) ?? '{}'), { locales: [/^zh takes/] });
});

t.test('closing finishes what is in flight', async (t) => {
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

t.test('at the deadline, closing cuts what does not end, and aborts its delivery', async (t) => {
  const hanging = {
    'one that never answers': { scheme: 'http', gone: true },
    // A connection that is not there yet cannot be aborted: it is no longer waited for.
    'one that never finishes its TLS handshake': { scheme: 'https', gone: false },
  };
  for (const [name, { scheme, gone }] of Object.entries(hanging)) {
    const sockets: Socket[] = [];
    let ended = false;
    const inbox = createTcpServer((socket) => {
      sockets.push(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          ended = true;
        });
    });
    const arrived = new Promise<void>((resolve) => inbox.on('connection', (socket) => socket.once('data', resolve)));
    await new Promise<void>((resolve) => inbox.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
      inbox.close();
    });
    const { service, login, logs } = await start(t, {
      WEBHOOK_URL: `${scheme}://127.0.0.1:${(inbox.address() as AddressInfo).port}/`,
      WEBHOOK_SECRET: 'a secret of the tests',
    });
    const cut = t.rejects(login('demo', 'demo'), name);
    await arrived;
    await service.close(0, 100);
    // Otherwise the sender would fail after four seconds, and the login with it.
    await cut;
    await t.rejects(fetch(`${service.url}/healthz`), name);
    t.match(logs.join(''), 'cut what was still open');
    if (!gone) continue;
    await until(`${name}: its connection is closed`, () => ended);
  }
});

t.test('closing does not wait for its deadline when nothing is open', async (t) => {
  const { service, logs } = await start(t, {});
  await service.close(0, 60_000);
  t.notMatch(logs.join(''), 'cut what');
});

t.test('the guess budget is told at start', async (t) => {
  const { lines } = await start(t, {});
  t.match(
    lines.join('\n'),
    'gets 195 guesses at its codes in 24 hours at the most, a chance of 0.019 %, and of 3.6 % in a year',
  );
});

t.test('digits after a complete number begin no new count', async (t) => {
  const { key, entry } = makeApiKey('shop', createRandomBytes());
  const { service } = await start(t, { API_KEYS: entry });
  const statuses: number[] = [];
  for (const to of ['+4915112345678', '+491511234567800', '+49015112345678', '+4915112345679']) {
    const response = await fetch(`${service.url}/verifications`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ to }),
    });
    statuses.push(response.status);
  }
  t.strictSame(statuses, [201, 429, 429, 201]);
});
