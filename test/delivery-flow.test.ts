import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { sealCall } from '../src/callbacks/call-token.ts';
import { ANSWER_PATH } from '../src/callbacks/routes.ts';
import { createCompatibilitySender } from '../src/delivery/compatibility.ts';
import { createDelivery } from '../src/delivery/failover.ts';
import { createPlivoSender } from '../src/delivery/plivo.ts';
import type { Message, Sender } from '../src/delivery/sender.ts';
import type { TimeoutSignalFactory } from '../src/delivery/timeout-signal.ts';
import { createWebhookSender } from '../src/delivery/webhook.ts';
import { silentLog } from '../src/log.ts';
import type { Fault } from '../src/phone-simulator/faults.ts';
import type { PhoneMessage } from '../src/phone-simulator/inbox.ts';
import { createCodec } from '../src/seal/codec.ts';
import { deriveKeys } from '../src/seal/keys.ts';
import { ALICE, CookieJar, PASSWORD, testApp } from './support/build-app.ts';
import { fakeClock } from './support/fake-clock.ts';
import { startLoopbackServer } from './support/loopback-server.ts';
import { startTestPhone } from './support/phone.ts';

type Name = 'signalwire' | 'twilio' | 'plivo' | 'webhook';
const HOST = 'login.example.com';

/**
 * The whole sign-in with real senders, over TLS, to the simulator that stands for their providers. Time is the test's:
 * attempts run out when it calls `runOut`.
 */
async function setUp(t: Test, order: readonly Name[], env: Record<string, string> = {}) {
  const { phone } = await startTestPhone(t, { schedule: (_ms, callback) => callback() });
  const { url: hook, visits } = await startLoopbackServer(t, (_visit, response) => void response.end());
  const clock = fakeClock();
  const keys = deriveKeys([randomBytes(32)]);
  const codec = await createCodec(Fastify(), keys);
  let base = '';
  const connect = { ca: phone.ca };
  const answerUrl = (message: Message) => `${base}${ANSWER_PATH}?token=${sealCall(codec, message, randomBytes)}`;
  const account = { host: phone.host, token: 'token', from: '+15550100199', connect };
  const make: Record<Name, () => Sender> = {
    signalwire: () => createCompatibilitySender({ ...account, name: 'signalwire', account: 'a-project' }),
    twilio: () => createCompatibilitySender({ ...account, name: 'twilio', account: `AC${'0'.repeat(32)}` }),
    plivo: () => createPlivoSender({ ...account, authId: 'MADEMO', authToken: 'token', answerUrl }),
    webhook: () => createWebhookSender({ url: `${hook}/codes`, secret: 'a secret of the tests', clock }),
  };
  const running = new Set<() => void>();
  const timeoutSignal: TimeoutSignalFactory = () => {
    const controller = new AbortController();
    const abort = () => controller.abort();
    running.add(abort);
    return { signal: controller.signal, abort, clear: () => void running.delete(abort) };
  };
  const delivery = createDelivery({ senders: order.map((name) => make[name]()), clock, log: silentLog, timeoutSignal });
  const app = await testApp({
    clock,
    env: {
      ORIGIN: `https://${HOST}`,
      PLIVO_AUTH_ID: 'MADEMO',
      PLIVO_AUTH_TOKEN: 'token',
      PLIVO_NUMBER: '+15550100197',
      ...env,
    },
    ports: { delivery, keys },
  });
  await app.app.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(app.app.server.address() as AddressInfo).port}`;
  t.teardown(async () => {
    await delivery.close();
    await app.app.close();
  });
  const login = (jar = new CookieJar(), fields: object = {}, headers: Record<string, string> = {}) =>
    app.post('/login', { username: 'alice', password: PASSWORD, ...fields }, jar, headers);
  /** Lets the attempt that hangs run out of time, once it has reached the provider. */
  const runOut = async (requests: number, seconds = 4) => {
    while (phone.requests.length < requests) await new Promise(setImmediate);
    clock.advance(seconds);
    for (const abort of running) abort();
  };
  return { ...app, phone, visits, login, runOut };
}

/** What a person reads off the phone, or writes down while listening. */
function codeOf({ channel, text }: Pick<PhoneMessage, 'channel' | 'text'>): string {
  if (channel === 'sms') return /#(\d{6})$/.exec(text)?.[1] ?? 'none';
  const said = [...text.matchAll(/\d(?:, \d){5}/g)].map(([digits]) => digits.replaceAll(', ', ''));
  return said.length === 3 && new Set(said).size === 1 ? (said[0] ?? '') : `said ${said.length} times`;
}

for (const name of ['signalwire', 'twilio', 'plivo'] as const) {
  for (const channel of ['sms', 'voice'] as const) {
    t.test(`${name}, ${channel}: the code that the phone gets signs in`, async (t) => {
      const { phone, login, post } = await setUp(t, [name]);
      const jar = new CookieJar();
      const answer = await login(jar, { channel });
      t.match(answer.json(), { status: 'otp_sent', channel });
      await phone.arrived(1);
      const [message] = phone.messages;
      t.match(message, { provider: name, channel, to: ALICE.phone, from: '+15550100199' });
      if (channel === 'sms') t.match(message?.text, new RegExp(`\n@${HOST.replaceAll('.', '\\.')} #\\d{6}$`));
      const signedIn = await post('/otp', { otp: message === undefined ? '' : codeOf(message) }, jar);
      t.match(signedIn.json(), { status: 'authenticated', user: 'alice' });
    });
  }
}

for (const channel of ['sms', 'voice'] as const) {
  t.test(`webhook, ${channel}: the code that it gets signs in`, async (t) => {
    const { visits, login, post } = await setUp(t, ['webhook']);
    const jar = new CookieJar();
    await login(jar, { channel });
    const message = JSON.parse(visits[0]?.body ?? '{}');
    t.match(message, { channel, to: ALICE.phone, code: codeOf(message) });
    t.equal((await post('/otp', { otp: message.code }, jar)).statusCode, 200);
  });
}

t.test('calls are in the language that the browser asks for, texts too', async (t) => {
  const { phone, login } = await setUp(t, ['signalwire', 'plivo']);
  await login(new CookieJar(), { channel: 'voice' }, { 'accept-language': 'fr-CA,fr;q=0.9' });
  await login(new CookieJar(), {}, { 'accept-language': 'zh' });
  t.match(phone.messages, [{ language: 'fr-FR', text: /^Votre/ }, { text: /验证码/ }]);
  phone.fault('signalwire', 'server_error');
  await login(new CookieJar(), { channel: 'voice' }, { 'accept-language': 'de' });
  await phone.arrived(3);
  t.match(phone.messages[2], { provider: 'plivo', language: 'de-DE', text: /^Ihr/ });
});

for (const fault of ['server_error', 'too_many_requests', 'reset'] as const satisfies readonly Fault[]) {
  t.test(`failover: the first sender has ${fault}, the second one sends the code`, async (t) => {
    const { phone, login, post } = await setUp(t, ['signalwire', 'twilio']);
    phone.fault('signalwire', fault);
    const jar = new CookieJar();
    t.equal((await login(jar)).statusCode, 200);
    t.match(phone.requests, [{ provider: 'signalwire' }, { provider: 'twilio', status: 201 }]);
    t.equal(phone.messages.length, 1);
    t.equal((await post('/otp', { otp: codeOf(phone.messages[0] as PhoneMessage) }, jar)).statusCode, 200);
  });
}

t.test('failover: nothing listens where the first sender should be', async (t) => {
  const gone = await startTestPhone(t);
  await gone.phone.close();
  const sender = createCompatibilitySender({
    name: 'signalwire',
    host: gone.phone.host,
    account: 'a-project',
    token: 'token',
    from: '+15550100199',
  });
  const { phone, visits } = await setUp(t, ['webhook']);
  t.equal(phone.messages.length, 0);
  const second = createWebhookSender({
    url: `${(await startLoopbackServer(t, (_visit, response) => void response.end())).url}/`,
    secret: 'a secret of the tests',
    clock: Date.now,
  });
  const delivery = createDelivery({ senders: [sender, second], clock: Date.now, log: silentLog });
  t.teardown(() => delivery.close());
  const message = { channel: 'sms', to: ALICE.phone, text: 'x', code: '493817', locale: 'en', expiresAt: 1 } as const;
  t.strictSame(await delivery.deliver(message), { sender: 'webhook' });
  t.equal(visits.length, 0);
});

t.test('failover: the first sender hangs; the second has the same code, and the user the whole minute', async (t) => {
  const { phone, login, post, runOut, clock } = await setUp(t, ['signalwire', 'twilio']);
  const begun = Math.floor(clock() / 1000);
  for (const [fault, received] of [
    ['hang', 1],
    ['accepted_hang', 2],
  ] as const) {
    const before = { messages: phone.messages.length, requests: phone.requests.length, now: clock() / 1000 };
    phone.fault('signalwire', fault);
    const jar = new CookieJar();
    const answering = login(jar);
    await runOut(before.requests + 1);
    const answer = await answering;
    t.equal(answer.statusCode, 200, fault);
    t.equal(Date.parse(answer.json().expiresAt) / 1000, before.now + 64, 'sixty seconds from its acceptance');
    const got = phone.messages.slice(before.messages);
    t.equal(got.length, received);
    t.equal(new Set(got.map(codeOf)).size, 1, 'one code');
    clock.advance(59);
    t.equal((await post('/otp', { otp: codeOf(got[0] as PhoneMessage) }, jar)).statusCode, 200);
  }
  t.ok(clock() / 1000 > begun + 120);
});

for (const fault of ['rejected', 'opted_out'] as const) {
  for (const name of ['signalwire', 'twilio', 'plivo'] as const) {
    t.test(`${name} says ${fault}: told at once, and nobody else is asked`, async (t) => {
      const second = name === 'twilio' ? 'signalwire' : 'twilio';
      const { phone, login } = await setUp(t, [name, second]);
      phone.fault(name, fault);
      const jar = new CookieJar();
      const answer = await login(jar);
      t.match(answer.json(), { status: 422, code: 'delivery_rejected' });
      t.equal(jar.cookies.size, 0);
      t.strictSame(
        phone.requests.map(({ provider }) => provider),
        [name],
      );
    });
  }
}

t.test('when every sender refuses: 503, no challenge, and the sends are refunded', async (t) => {
  const { phone, login } = await setUp(t, ['signalwire', 'twilio', 'plivo'], {
    RESEND_COOLDOWN: '30',
    LIMIT_SEND_PHONE: '1/600',
    LIMIT_SEND_ACCOUNT: '1/600',
    LIMIT_SEND_ADDRESS: '1/600',
    SEND_BUDGET: '1',
  });
  phone.fault('signalwire', 'server_error');
  phone.fault('twilio', 'too_many_requests');
  phone.fault('plivo', 'too_many_requests');
  for (let i = 0; i < 3; i += 1) {
    const jar = new CookieJar();
    const answer = await login(jar);
    t.match(answer.json(), { status: 503, code: 'delivery_failed' });
    t.equal(answer.headers['retry-after'], '5');
    t.equal(answer.headers['set-cookie'], undefined);
  }
  t.equal(phone.requests.length, 9);
  for (const name of ['signalwire', 'twilio', 'plivo'] as const) phone.fault(name, null);
  t.equal((await login()).statusCode, 200);
  t.match((await login()).json(), { code: 'too_many_requests' });
});

for (const fault of ['hang', 'accepted_hang', 'reset'] as const) {
  t.test(`after ${fault} the message may still arrive: the send stays counted, for a login and a resend`, async (t) => {
    const { phone, login, post, runOut, clock } = await setUp(t, ['signalwire'], { RESEND_COOLDOWN: '30' });
    const open = new CookieJar();
    await login(open);
    clock.advance(30);
    phone.fault('signalwire', fault);
    for (const send of [() => login(), () => post('/otp/resend', {}, open)]) {
      const before = phone.requests.length;
      const answering = send();
      if (fault !== 'reset') await runOut(before + 1);
      const answer = await answering;
      t.match(answer.json(), { status: 503, code: 'delivery_failed', retryAfter: fault === 'reset' ? 30 : 26 });
      t.match((await login()).json(), { status: 429, code: 'too_many_requests' });
      t.equal(phone.requests.length, before + 1, 'the second attempt reached no provider');
      clock.advance(30);
    }
  });
}

t.test('after five failures the sender is skipped, and it comes back by itself', async (t) => {
  const { phone, login, clock } = await setUp(t, ['signalwire', 'twilio']);
  const asked = () => phone.requests.filter(({ provider }) => provider === 'signalwire').length;
  phone.fault('signalwire', 'server_error');
  for (let i = 0; i < 8; i += 1) t.equal((await login()).statusCode, 200);
  t.equal(asked(), 5);
  phone.fault('signalwire', null);
  clock.advance(29);
  await login();
  t.equal(asked(), 5);
  clock.advance(1);
  await login();
  await login();
  t.equal(asked(), 7);
  t.equal(phone.messages.at(-1)?.provider, 'signalwire');
});

t.test('the words of a Plivo call can be fetched once, and not after the life of the code', async (t) => {
  const bodies: { answer_url?: string }[] = [];
  const { base, login, post, clock } = await plivoWithoutPhone(t, bodies);
  const fetchWords = async (index: number) => {
    const url = new URL(bodies[index]?.answer_url ?? '');
    t.notMatch(url.href, /\d{6}(?!\d)(?=&|$)/);
    return fetch(`${base}${url.pathname}${url.search}`, {
      method: 'POST',
      body: new URLSearchParams({ CallUUID: '1' }),
    });
  };
  const jar = new CookieJar();
  await login(jar);
  const first = await fetchWords(0);
  t.equal(first.status, 200);
  const spoken = await first.text();
  t.equal((await fetchWords(0)).status, 404);
  t.equal((await post('/otp', { otp: codeOf({ channel: 'voice', text: spoken }) }, jar)).statusCode, 200);
  await login(new CookieJar());
  clock.advance(60);
  t.equal((await fetchWords(1)).status, 404);
});

/** A Plivo that never calls anybody, but shows what it was asked. */
async function plivoWithoutPhone(t: Test, bodies: object[]) {
  const { createServer } = await import('node:https');
  const { createTestTls } = await import('./support/tls.ts');
  const { key, cert, ca } = createTestTls();
  const server = createServer({ key, cert }, async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    bodies.push(JSON.parse(body));
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"request_uuid":"1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clock = fakeClock();
  const keys = deriveKeys([randomBytes(32)]);
  const codec = await createCodec(Fastify(), keys);
  const sender = createPlivoSender({
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    authId: 'MADEMO',
    authToken: 'token',
    from: '+15550100197',
    connect: { ca },
    answerUrl: (message) => `https://${HOST}${ANSWER_PATH}?token=${sealCall(codec, message, randomBytes)}`,
  });
  const delivery = createDelivery({ senders: [sender], clock, log: silentLog });
  const env = { PLIVO_AUTH_ID: 'MADEMO', PLIVO_AUTH_TOKEN: 'token', PLIVO_NUMBER: '+15550100197' };
  const app = await testApp({ clock, env, ports: { delivery, keys } });
  await app.app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    await delivery.close();
    await app.app.close();
    server.close();
    server.closeAllConnections();
  });
  const login = (jar: CookieJar) =>
    app.post('/login', { username: 'alice', password: PASSWORD, channel: 'voice' }, jar);
  return { ...app, login, base: `http://127.0.0.1:${(app.app.server.address() as AddressInfo).port}` };
}

t.test('no header of a request changes the line that binds the code to our host', async (t) => {
  const { phone, login } = await setUp(t, ['signalwire'], { TRUST_PROXY: 'loopback' });
  const hostile = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    forwarded: 'host=evil.example',
    'x-forwarded-proto': 'http',
  };
  await login(new CookieJar(), {}, hostile);
  t.match(phone.messages[0]?.text, new RegExp(`\n@${HOST} #\\d{6}$`));
  t.notMatch(phone.messages[0]?.text, 'evil');
});

t.test('looking at pages sends nothing, however often', async (t) => {
  const { phone, login, get } = await setUp(t, ['signalwire']);
  const jar = new CookieJar();
  await login(jar);
  for (let i = 0; i < 3; i += 1) {
    for (const path of ['/login', '/otp', '/', '/session', '/otp/resend']) {
      await get(path, jar, { accept: 'text/html' });
    }
  }
  t.equal(phone.requests.length, 1);
});
