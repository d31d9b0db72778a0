import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { createCompatibilitySender } from '../../src/delivery/compatibility.ts';
import { startPhone } from '../../src/phone-simulator/phone.ts';
import { compatibilitySignature } from '../../src/phone-simulator/signature.ts';
import { failure, message, patient } from '../delivery/sender.contract.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { startTestPhone, type TestPhone } from '../support/phone.ts';

const FROM = '+15550100199';
const accounts = { signalwire: 'project', twilio: `AC${'0123456789abcdef'.repeat(2)}` };

function sender(t: Test, { phone }: TestPhone, name: 'signalwire' | 'twilio') {
  const options = { name, host: phone.host, account: accounts[name], token: 'token', from: FROM };
  const made = createCompatibilitySender({ ...options, connect: { ca: phone.ca } });
  t.teardown(() => made.close());
  return made;
}

for (const name of ['signalwire', 'twilio'] as const) {
  t.test(`${name}: messages and calls of the real sender arrive, on one connection`, async (t) => {
    // Of today, because the certificate has to be good.
    const at = Date.now();
    const test = await startTestPhone(t, { clock: () => at });
    const { phone } = test;
    const real = sender(t, test, name);
    const { text, to } = message({ text: 'Zoë’s code: 493817 <&>\n@login.example #493817' });
    const receipts = [
      await real.send(message({ text }), patient()),
      await real.send(message({ channel: 'voice', text: 'Tom & <Jerry>: 4, 9', locale: 'de' }), patient()),
    ];
    await phone.arrived(2);
    t.match(phone.messages, [
      { provider: name, channel: 'sms', id: receipts[0]?.id, to, from: FROM, text, at },
      {
        provider: name,
        channel: 'voice',
        id: receipts[1]?.id,
        to,
        from: FROM,
        text: 'Tom & <Jerry>: 4, 9',
        language: 'de-DE',
      },
    ]);
    t.equal(phone.connections, 1);
  });

  t.test(`${name}: each fault is what the sender takes it for`, async (t) => {
    const timers: (() => void)[] = [];
    const test = await startTestPhone(t, { schedule: (_ms, callback) => void timers.push(callback) });
    const { phone } = test;
    const real = sender(t, test, name);
    for (const [digits, kind, reason, arrived] of [
      ['901', 'permanent', 'number', 0],
      ['902', 'permanent', 'number', 0],
      ['903', 'temporary', 'http_429', 0],
      ['904', 'temporary', 'http_500', 0],
      ['905', 'temporary', 'connection', 0],
    ] as const) {
      const error = await failure(real.send(message({ to: `+15550100${digits}` }), patient()));
      t.match(error, { kind, reason }, digits);
      t.equal(phone.messages.length, arrived, digits);
    }
    // The two that hang: given up when the other end is known to be silent.
    for (const [digits, arrived] of [
      ['906', 0],
      ['907', 1],
    ] as const) {
      const giveUp = new AbortController();
      const before = phone.requests.length;
      const sending = failure(real.send(message({ to: `+15550100${digits}` }), giveUp.signal));
      while (phone.requests.length === before || phone.requests.at(-1)?.to === null) await new Promise(setImmediate);
      giveUp.abort();
      t.match(await sending, { kind: 'temporary', reason: 'timeout' }, digits);
      t.equal(phone.messages.length, arrived, digits);
    }
    const slow = real.send(message({ to: '+15550100908' }), patient());
    while (timers.length === 0) await new Promise(setImmediate);
    t.equal(phone.messages.length, 1);
    timers[0]?.();
    t.match(await slow, { sender: name });
    t.equal(phone.messages.length, 2);
    await real.send(message({ to: '+15550100909' }), patient());
    t.equal(phone.messages.length, 4);
    await real.send(message({ to: '+15550100910' }), patient());
    await phone.idle();
    t.equal(phone.messages.length, 4);
  });
}

t.test('Plivo: a message, and a call whose words it asks for', async (t) => {
  const { phone, ask } = await startTestPhone(t);
  const { url, visits } = await startLoopbackServer(t, (_visit, response) => {
    response.end('<Response><Speak language="en-US">Code 4, 9.</Speak></Response>');
  });
  const json = { type: 'application/json' };
  const message = { src: '15550100199', dst: '15550100100', text: 'Hi' };
  const call = { from: '15550100199', to: '15550100100', answer_url: `${url}/answer?token=1` };
  t.equal((await ask('/v1/Account/MA1/Message/', { ...json, body: JSON.stringify(message) })).status, 202);
  t.equal((await ask('/v1/Account/MA1/Call/', { ...json, body: JSON.stringify(call) })).status, 201);
  await phone.idle();
  t.match(phone.messages, [
    { provider: 'plivo', channel: 'sms', text: 'Hi', to: '+15550100100' },
    { provider: 'plivo', channel: 'voice', text: 'Code 4, 9.', language: 'en-US' },
  ]);
  t.match(visits, [{ method: 'POST', path: '/answer?token=1', body: /Event=StartApp/ }]);
  t.match(visits[0]?.headers, { 'x-plivo-signature-v3': /./, 'x-plivo-signature-v3-nonce': /./ });
});

t.test('SignalWire tells what became of a message, signed with its own key', async (t) => {
  const { phone, ask } = await startTestPhone(t, { signingKey: 'key' });
  const { url, visits } = await startLoopbackServer(t);
  const hook = `${url}/callbacks/signalwire`;
  const fields = { To: '+15550100100', From: FROM, Body: 'Hi', StatusCallback: hook };
  const body = new URLSearchParams(fields).toString();
  await ask('/api/laml/2010-04-01/Accounts/project/Messages.json', { body });
  await phone.idle();
  t.equal(visits.length, 2);
  for (const { headers, body } of visits) {
    const told = Object.fromEntries(new URLSearchParams(body));
    t.equal(headers['x-signalwire-signature'], compatibilitySignature('key', hook, told));
  }
  t.match(phone.callbacks, [
    { url: hook, fields: { MessageStatus: 'sent' }, status: 200 },
    { url: hook, fields: { MessageStatus: 'delivered' }, status: 200 },
  ]);
  t.match(phone.messages, [{ statusCallback: hook }]);
});

t.test('the page is on the port of the APIs, and over plain HTTP where it is wanted', async (t) => {
  const { phone, ask } = await startTestPhone(t, { pagePort: 0 });
  t.match(phone.pageUrl, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.match(await ask('/', { method: 'GET', credentials: null }), { status: 200, body: /No messages yet/ });
  const page = await fetch(String(phone.pageUrl));
  t.match(await page.text(), phone.host);
  t.equal((await startTestPhone(t)).phone.pageUrl, null);
});

t.test('a client that does not speak TLS harms nobody', async (t) => {
  const { phone, ask } = await startTestPhone(t);
  const socket = connect(Number(phone.host.split(':')[1]), '127.0.0.1');
  socket.end('GET / HTTP/1.1\r\n\r\n').resume();
  await once(socket, 'close');
  t.equal((await ask('/messages', { method: 'GET', credentials: null })).status, 200);
});

t.test('a port that is taken leaves nothing running', async (t) => {
  const { phone } = await startTestPhone(t, { pagePort: 0 });
  const port = Number(phone.host.split(':')[1]);
  const pagePort = Number(phone.pageUrl?.split(':')[2]);
  await t.rejects(startPhone({ port }), { code: 'EADDRINUSE', port });
  await t.rejects(startPhone({ pagePort }), { code: 'EADDRINUSE', port: pagePort });
});

t.test('close lets go of who hangs', async (t) => {
  const test = await startTestPhone(t);
  const real = sender(t, test, 'signalwire');
  const sending = failure(real.send(message({ to: '+15550100906' }), patient()));
  while (typeof test.phone.requests[0]?.to !== 'string') await new Promise(setImmediate);
  await test.phone.close();
  t.match(await sending, { kind: 'temporary', reason: 'connection' });
});
