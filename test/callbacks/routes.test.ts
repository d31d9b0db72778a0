import { createHmac } from 'node:crypto';
import Fastify from 'fastify';
import t from 'tap';
import { sealCall } from '../../src/callbacks/call-token.ts';
import { ANSWER_PATH, receiptPath } from '../../src/callbacks/routes.ts';
import { createCodec } from '../../src/seal/codec.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { seededRandom, testApp } from '../support/build-app.ts';

const PLIVO = { PLIVO_AUTH_ID: 'MADEMO', PLIVO_AUTH_TOKEN: 'token', PLIVO_NUMBER: '+15550100197' };
const keys = deriveKeys([Buffer.alloc(32, 1)]);

async function withPlivo() {
  const app = await testApp({ env: { ...PLIVO, APP_NAME: '<"Tom" & Jerry>' }, ports: { keys } });
  const codec = await createCodec(Fastify(), keys);
  const random = seededRandom('calls');
  const token = (seconds = 60, locale = 'fr') =>
    sealCall(codec, { code: '493817', locale, expiresAt: Math.floor(app.clock() / 1000) + seconds }, random);
  // As Plivo asks: a form, about a call that we do not look at.
  const ask = (query: string) =>
    app.app.inject({
      method: 'POST',
      url: `${ANSWER_PATH}${query}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'CallUUID=1&From=15550100197&To=15550100101&CallStatus=in-progress&Event=StartApp',
    });
  return { ...app, token, ask };
}

t.test('the words of a call are given out once', async (t) => {
  const { ask, token, logs } = await withPlivo();
  const url = `?token=${token()}`;
  const first = await ask(url);
  t.equal(first.statusCode, 200);
  t.equal(first.headers['content-type'], 'application/xml; charset=utf-8');
  t.equal(first.headers['cache-control'], 'no-store');
  t.equal(
    first.body,
    '<?xml version="1.0" encoding="UTF-8"?><Response>' +
      '<Speak language="fr-FR">Votre code &lt;&quot;Tom&quot; &amp; Jerry&gt; est ' +
      `${Array(3).fill('4, 9, 3, 8, 1, 7').join('. ')}.</Speak></Response>`,
  );
  const second = await ask(url);
  t.equal(second.statusCode, 404);
  t.notMatch(second.body, '493817');
  t.equal((await ask(`?token=${token()}`)).statusCode, 200, 'another call has its own');
  t.notOk(logs.some((line) => line.includes('493817') || line.includes('token=')));
});

t.test('two that ask at once: one gets the words', async (t) => {
  const { ask, token } = await withPlivo();
  const url = `?token=${token()}`;
  const statuses = (await Promise.all([ask(url), ask(url), ask(url)])).map(({ statusCode }) => statusCode);
  t.strictSame(statuses.sort(), [200, 404, 404]);
});

t.test('after the life of the code nobody gets them', async (t) => {
  const { ask, token, clock } = await withPlivo();
  const url = `?token=${token(60)}`;
  clock.advance(60);
  t.equal((await ask(url)).statusCode, 404);
});

t.test('looking does not spend them', async (t) => {
  const { app, ask, token } = await withPlivo();
  const url = `?token=${token()}`;
  for (const method of ['GET', 'HEAD'] as const) {
    t.equal((await app.inject({ method, url: ANSWER_PATH + url })).statusCode, 405, method);
  }
  t.equal((await ask(url)).statusCode, 200);
});

t.test('anything else gets nothing', async (t) => {
  const { ask, token } = await withPlivo();
  t.equal((await ask('')).statusCode, 400);
  t.equal((await ask('?token=')).statusCode, 400);
  t.equal((await ask(`?token=${'x'.repeat(600)}`)).statusCode, 400);
  t.equal((await ask(`?token=${token()}&more=1`)).statusCode, 400);
  t.equal((await ask('?token=abc')).statusCode, 404);
  // Not the last character, whose last bits may mean nothing.
  const changed = token().replace(/^(.{20})(.)/, (_, start, next) => `${start}${next === 'A' ? 'B' : 'A'}`);
  t.equal((await ask(`?token=${changed}`)).statusCode, 404);
});

t.test('without Plivo there is no such route', async (t) => {
  const { post } = await testApp();
  t.equal((await post(`${ANSWER_PATH}?token=x`)).statusCode, 404);
});

const ORIGIN = 'https://login.example.com';
const sign = (key: string, url: string, fields: Record<string, string>) =>
  createHmac('sha1', key)
    .update(
      url +
        Object.entries(fields)
          .sort()
          .map(([name, value]) => name + value)
          .join(''),
    )
    .digest('base64');

async function withReceipts() {
  const app = await testApp({ env: { ORIGIN }, ports: { receiptKeys: { signalwire: 'PSK-key', twilio: 'token' } } });
  const send = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    app.app.inject({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded', host: 'evil.example' },
      payload: new URLSearchParams(fields).toString(),
    });
  const receipts = () => app.logs.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'delivery receipt');
  return { ...app, send, receipts };
}

const delivered = {
  MessageSid: 'SM1',
  MessageStatus: 'delivered',
  To: '+15550100101',
  From: '+15550100199',
  Body: '493817',
};

t.test('a receipt goes to the log, without number and text', async (t) => {
  const { send, receipts, logs } = await withReceipts();
  for (const [sender, key, header] of [
    ['signalwire', 'PSK-key', 'x-signalwire-signature'],
    ['signalwire', 'PSK-key', 'x-twilio-signature'],
    ['twilio', 'token', 'x-twilio-signature'],
  ] as const) {
    const signature = sign(key, ORIGIN + receiptPath(sender), delivered);
    const response = await send(receiptPath(sender), delivered, { [header]: signature });
    t.equal(response.statusCode, 204, `${sender} ${header}`);
    t.match(receipts().at(-1), { sender, channel: 'sms', id: 'SM1', status: 'delivered' });
  }
  t.notOk(logs.some((line) => line.includes('5550100101') || line.includes('493817')));
});

t.test('of calls and failures as well', async (t) => {
  const { send, receipts } = await withReceipts();
  const path = receiptPath('twilio');
  const call = { CallSid: 'CA1', CallStatus: 'no-answer' };
  await send(path, call, { 'x-twilio-signature': sign('token', ORIGIN + path, call) });
  t.match(receipts().at(-1), { channel: 'voice', id: 'CA1', status: 'no-answer' });
  const failed = { MessageSid: 'SM2', MessageStatus: 'undelivered', ErrorCode: '30003' };
  await send(path, failed, { 'x-twilio-signature': sign('token', ORIGIN + path, failed) });
  t.match(receipts().at(-1), { id: 'SM2', status: 'undelivered', errorCode: '30003' });
  const odd = { MessageSid: 'a b', MessageStatus: '+15550100101', ErrorCode: 'x'.repeat(65) };
  await send(path, odd, { 'x-twilio-signature': sign('token', ORIGIN + path, odd) });
  t.notMatch(receipts().at(-1), { id: /./ });
  t.notMatch(receipts().at(-1), { status: /./ });
});

t.test('a receipt that nobody signed is refused, and not logged', async (t) => {
  const { app, send, receipts } = await withReceipts();
  const path = receiptPath('twilio');
  const good = sign('token', ORIGIN + path, delivered);
  for (const [what, response] of Object.entries({
    'no signature': await send(path, delivered),
    'another field': await send(path, { ...delivered, MessageStatus: 'failed' }, { 'x-twilio-signature': good }),
    'the other provider': await send(receiptPath('signalwire'), delivered, { 'x-twilio-signature': good }),
    'the host of the request': await send(path, delivered, {
      'x-twilio-signature': sign('token', `https://evil.example${path}`, delivered),
    }),
    'a header of the other provider': await send(path, delivered, { 'x-signalwire-signature': good }),
    'no body': await app.inject({ method: 'POST', url: path, headers: { 'x-twilio-signature': good } }),
    'a field twice': await app.inject({
      method: 'POST',
      url: path,
      headers: { 'x-twilio-signature': good, 'content-type': 'application/x-www-form-urlencoded' },
      payload: `${new URLSearchParams(delivered)}&To=1`,
    }),
  })) {
    t.equal(response.statusCode, 401, what);
    t.match(response.json(), { code: 'not_authenticated', title: 'Signature missing or wrong' });
  }
  t.strictSame(receipts(), []);
});

t.test('without a key there is no such route', async (t) => {
  const { post } = await testApp();
  t.equal((await post(receiptPath('twilio'), delivered)).statusCode, 404);
  t.equal((await post(receiptPath('signalwire'), delivered)).statusCode, 404);
});
