import t from 'tap';
import { plivoEndpoint } from '../../src/phone-simulator/plivo.ts';
import { type Endpoint, Refusal } from '../../src/phone-simulator/provider.ts';
import { plivoSignatureV2, plivoSignatureV3 } from '../../src/phone-simulator/signature.ts';

const JSON_TYPE = 'application/json';
const HOOK = 'http://127.0.0.1:3000/hook';
const sms = { src: '+15550100199', dst: '15550100100', text: 'Hello' };
const call = { from: '15550100199', to: '+15550100100', answer_url: HOOK };
const keys = { token: 'token', signingKey: 'other' };

function endpoint(resource: 'Message' | 'Call'): Endpoint {
  const found = plivoEndpoint(`/v1/Account/MA1/${resource}/`);
  if (found === null) throw new Error('no such endpoint');
  return found;
}

function refused(endpoint: Endpoint, body: unknown, type = JSON_TYPE) {
  try {
    endpoint.read(type, typeof body === 'string' ? body : JSON.stringify(body));
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
  throw new Error('it was not refused');
}

t.test('its paths', async (t) => {
  t.match(plivoEndpoint('/v1/Account/MA1/Message/'), { provider: 'plivo', channel: 'sms', account: 'MA1' });
  t.match(plivoEndpoint('/v1/Account/MA1/Call'), { channel: 'voice' });
  for (const path of ['/', '/v1/Account//Call/', '/v1/Account/MA1/Number/', '/v2/Account/MA1/Call/']) {
    t.equal(plivoEndpoint(path), null, path);
  }
});

t.test('a message is read, the plus of a number may lack, and accepted', async (t) => {
  const api = endpoint('Message');
  const order = api.read(JSON_TYPE, JSON.stringify(sms));
  t.strictSame(order, { to: '+15550100100', from: '+15550100199', text: 'Hello' });
  t.match(api.accept(order, 'one', 0), { status: 202, body: { message_uuid: ['one'], api_id: /^[\da-f-]{36}$/ } });
  t.match(api.read(JSON_TYPE, JSON.stringify({ ...sms, type: 'sms', log: false, url: HOOK, method: 'GET' })), {
    receipt: { url: HOOK, method: 'GET' },
  });
  t.match(api.newId(), /^[\da-f-]{36}$/);
  t.equal(api.pickUp(order, 'one', keys), null);
  t.strictSame(api.receipts(order, 'one', true, keys), []);
});

t.test('a call asks for its words when it is picked up, signed', async (t) => {
  const api = endpoint('Call');
  const order = api.read(JSON_TYPE, JSON.stringify({ ...call, time_limit: 60, ring_timeout: '30', hangup_url: HOOK }));
  t.strictSame(order, {
    to: '+15550100100',
    from: '+15550100199',
    text: '',
    answer: { url: HOOK, method: 'POST' },
  });
  t.match(api.accept(order, 'one', 0), { status: 201, body: { message: 'call fired', request_uuid: 'one' } });
  const asked = api.pickUp(order, 'one', keys);
  t.match(asked, {
    url: HOOK,
    method: 'POST',
    fields: { CallUUID: 'one', From: '15550100199', To: '15550100100', CallStatus: 'in-progress', Event: 'StartApp' },
  });
  const nonce = asked?.headers['x-plivo-signature-v3-nonce'] ?? '';
  t.equal(asked?.headers['x-plivo-signature-v3'], plivoSignatureV3('token', 'POST', HOOK, asked?.fields ?? {}, nonce));
  const get = api.read(JSON_TYPE, JSON.stringify({ ...call, answer_url: `${HOOK}?a=1`, answer_method: 'GET' }));
  t.match(api.pickUp(get, 'one', keys), { method: 'GET', url: /\/hook\?a=1&CallUUID=one&/ });
});

t.test('what is wrong is told by the name of the field', async (t) => {
  const text = endpoint('Message');
  const voice = endpoint('Call');
  const table: [Endpoint, unknown, RegExp][] = [
    [text, { ...sms, src: undefined }, /^src/],
    [text, { ...sms, dst: undefined }, /^dst/],
    [text, { ...sms, text: undefined }, /^text/],
    [text, { ...sms, text: '' }, /^text/],
    [text, { ...sms, text: 1 }, /^text/],
    [text, { ...sms, text: 'x'.repeat(1601) }, /^text.*1600/],
    [text, { ...sms, src: 'doorcode' }, /^src/],
    [text, { ...sms, dst: '+0555' }, /^dst/],
    [text, { ...sms, dst: '15550100100<15550100101' }, /^dst/],
    [text, { ...sms, type: 'mms' }, /^type/],
    [text, { ...sms, url: 'ftp://example.com/' }, /^url/],
    [text, { ...sms, method: 'PUT' }, /^method/],
    [text, { ...sms, log: 1 }, /^log/],
    [text, { ...sms, powerpack_uuid: 'x' }, /powerpack_uuid/],
    [text, { ...sms, constructor: 'x' }, /constructor/],
    [text, 'null', /JSON object/],
    [text, '[]', /JSON object/],
    [text, '1', /JSON object/],
    [text, '{', /JSON object/],
    [voice, { ...call, answer_url: undefined }, /^answer_url/],
    [voice, { ...call, answer_url: 'example.com' }, /^answer_url/],
    [voice, { ...call, time_limit: -1 }, /^time_limit/],
    [voice, { ...call, time_limit: [60] }, /^time_limit/],
    [voice, { ...call, text: 'x' }, /text/],
  ];
  for (const [api, body, error] of table) {
    t.match(refused(api, body), { status: 400, body: { error, api_id: /^[\da-f-]{36}$/ } });
  }
  t.match(refused(text, sms, 'application/x-www-form-urlencoded'), { status: 415 });
});

t.test('refusals have its form', async (t) => {
  const api = endpoint('Message');
  for (const [reason, status] of [
    ['credentials', 401],
    ['method', 405],
    ['too_large', 413],
    ['rejected', 400],
    ['opted_out', 400],
    ['too_many_requests', 429],
  ] as const) {
    t.match(api.refuse(reason), { status, body: { api_id: String, error: /\w/ } }, reason);
  }
});

t.test('what became of a message is told, and signed', async (t) => {
  const api = endpoint('Message');
  for (const method of ['POST', 'GET'] as const) {
    const order = api.read(JSON_TYPE, JSON.stringify({ ...sms, url: HOOK, method }));
    const told = api.receipts(order, 'one', false, keys);
    t.match(told, [
      { fields: { MessageUUID: 'one', Status: 'sent', To: '15550100100' } },
      { fields: { Status: 'undelivered', ErrorCode: /./ } },
    ]);
    t.match(told[0]?.url, method === 'GET' ? /\?MessageUUID=one/ : /hook$/);
    for (const { headers } of told) {
      const nonce = headers['x-plivo-signature-v2-nonce'] ?? '';
      t.equal(headers['x-plivo-signature-v2'], plivoSignatureV2('token', HOOK, nonce));
    }
    t.match(api.receipts(order, 'one', true, keys), [{}, { fields: { Status: 'delivered' } }]);
  }
});
