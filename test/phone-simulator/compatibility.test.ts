import t from 'tap';
import { compatibilityEndpoint } from '../../src/phone-simulator/compatibility.ts';
import { type Endpoint, Refusal } from '../../src/phone-simulator/provider.ts';
import { START_SECONDS } from '../support/fake-clock.ts';

const AC = `AC${'0123456789abcdef'.repeat(2)}`;
const NOW = START_SECONDS * 1000;
const FORM = 'application/x-www-form-urlencoded';
const HOOK = 'http://127.0.0.1:3000/hook';
const sms = { To: '+15550100100', From: '+15550100199', Body: 'Hello & <you>' };
const call = {
  To: '+15550100100',
  From: '+15550100199',
  Twiml: '<Response><Say language="en-US">Hello</Say></Response>',
};

function endpoint(account: string, resource: 'Messages' | 'Calls'): Endpoint {
  const found = compatibilityEndpoint(`/2010-04-01/Accounts/${account}/${resource}.json`);
  if (found === null) throw new Error('no such endpoint');
  return found;
}

function refused(endpoint: Endpoint, fields: object | string, type = FORM) {
  const body = typeof fields === 'string' ? fields : new URLSearchParams({ ...fields }).toString();
  try {
    endpoint.read(type, body);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
  throw new Error('it was not refused');
}

t.test('whose API it is shows in the account, what is asked for in the path', async (t) => {
  for (const [path, provider, channel, account] of [
    [`/2010-04-01/Accounts/${AC}/Messages.json`, 'twilio', 'sms', AC],
    [`/2010-04-01/Accounts/${AC}/Calls.json`, 'twilio', 'voice', AC],
    ['/2010-04-01/Accounts/project/Messages.json', 'signalwire', 'sms', 'project'],
    ['/api/laml/2010-04-01/Accounts/a-b_c/Calls.json', 'signalwire', 'voice', 'a-b_c'],
  ] as const) {
    t.match(compatibilityEndpoint(path), { provider, channel, account });
  }
  for (const path of [
    '/',
    '/2010-04-01/Accounts/project/Messages',
    '/2010-04-01/Accounts//Messages.json',
    '/2010-04-01/Accounts/project/Faxes.json',
    '/2010-04-01/Accounts/project/Messages.json/',
    '/api/2010-04-01/Accounts/project/Messages.json',
  ]) {
    t.equal(compatibilityEndpoint(path), null, path);
  }
});

t.test('a message is read, and accepted as the real ones do', async (t) => {
  const twilio = endpoint(AC, 'Messages');
  const order = twilio.read(FORM, new URLSearchParams({ ...sms, StatusCallback: HOOK }).toString());
  t.strictSame(order, {
    to: sms.To,
    from: sms.From,
    text: sms.Body,
    receipt: { url: HOOK, method: 'POST', events: ['sent', 'delivered'] },
  });
  const id = twilio.newId();
  t.match(id, /^SM[\da-f]{32}$/);
  t.match(twilio.accept(order, id, NOW), {
    status: 201,
    body: {
      sid: id,
      account_sid: AC,
      to: sms.To,
      from: sms.From,
      body: sms.Body,
      status: 'queued',
      direction: 'outbound-api',
      error_code: null,
      date_created: 'Tue, 01 Jan 2030 00:00:00 +0000',
      uri: `/2010-04-01/Accounts/${AC}/Messages/${id}.json`,
    },
  });
  t.match(endpoint('project', 'Messages').newId(), /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
});

t.test('a call is read with its words', async (t) => {
  const twilio = endpoint(AC, 'Calls');
  const order = twilio.read(FORM, new URLSearchParams(call).toString());
  t.strictSame(order, { to: call.To, from: call.From, text: 'Hello', language: 'en-US' });
  t.match(twilio.newId(), /^CA[\da-f]{32}$/);
  t.match(twilio.accept(order, 'CA1', NOW), { status: 201, body: { sid: 'CA1', status: 'queued', duration: null } });
  t.equal(twilio.pickUp(order, 'CA1', { token: 'a', signingKey: 'b' }), null);
});

t.test('what a field lacks is told by the code that the real ones have for it', async (t) => {
  const text = endpoint(AC, 'Messages');
  const voice = endpoint(AC, 'Calls');
  const table: [Endpoint, object, number, RegExp][] = [
    [text, { ...sms, To: '' }, 21604, /'To'/],
    [text, { ...sms, From: '' }, 21603, /'From'/],
    [text, { ...sms, Body: '' }, 21602, /'Body'/],
    [text, { From: sms.From, Body: 'x' }, 21604, /'To'/],
    [text, { ...sms, To: '15550100100' }, 21211, /15550100100/],
    [text, { ...sms, To: '+0555' }, 21211, /To/],
    [text, { ...sms, From: 'doorcode' }, 21212, /From/],
    [text, { ...sms, From: sms.To }, 21266, /same/],
    [text, { ...sms, Body: 'x'.repeat(1601) }, 21617, /1600/],
    [text, { ...sms, MediaUrl: 'x' }, 20001, /MediaUrl/],
    [text, { ...sms, Twiml: 'x' }, 20001, /Twiml/],
    [text, { ...sms, constructor: 'x' }, 20001, /constructor/],
    [text, { ...sms, StatusCallback: 'ftp://example.com/' }, 21609, /StatusCallback/],
    [voice, { ...call, To: '' }, 21201, /'To'/],
    [voice, { ...call, From: '' }, 21213, /'From'/],
    [voice, { ...call, Twiml: '' }, 21205, /'Twiml'/],
    [voice, { ...call, To: 'x' }, 21217, /To/],
    [voice, { ...call, Twiml: 'hello' }, 12100, /Twiml/],
    [voice, { To: call.To, From: call.From, Url: HOOK }, 20001, /Url.*Twiml/],
    [voice, { ...call, Body: 'x' }, 20001, /Body/],
    [voice, { ...call, StatusCallbackMethod: 'PUT' }, 21209, /StatusCallbackMethod/],
    [voice, { ...call, StatusCallbackEvent: 'begun' }, 20001, /begun/],
  ];
  for (const [endpoint, fields, code, message] of table) {
    t.match(refused(endpoint, fields), { status: 400, body: { code, message, status: 400, more_info: /^https:/ } });
  }
  const twice = `${new URLSearchParams(sms)}&To=%2B15550100101`;
  t.match(refused(text, twice), { status: 400, body: { message: /To is given more than once/ } });
  t.match(refused(text, JSON.stringify(sms), 'application/json'), { status: 415 });
});

t.test('the two differ in how they refuse a number', async (t) => {
  const to = sms.To;
  t.match(endpoint(AC, 'Messages').refuse('rejected', to), { status: 400, body: { code: 21211 } });
  t.match(endpoint(AC, 'Calls').refuse('rejected', to), { status: 400, body: { code: 21217 } });
  for (const resource of ['Messages', 'Calls'] as const) {
    t.match(endpoint('project', resource).refuse('rejected', to), { status: 422, body: { code: 21217 } });
  }
});

t.test('and otherwise refuse alike', async (t) => {
  const api = endpoint('project', 'Messages');
  t.match(api.refuse('credentials'), { status: 401, body: { code: 20003 }, headers: { 'www-authenticate': /^Basic/ } });
  t.match(api.refuse('method'), { status: 405, headers: { allow: 'POST' } });
  t.match(api.refuse('too_large'), { status: 413 });
  t.match(api.refuse('opted_out', sms.To), { status: 400, body: { code: 21610 } });
  t.match(api.refuse('too_many_requests'), { status: 429, body: { code: 20429 } });
});
