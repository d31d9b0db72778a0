import t from 'tap';
import { startTestPhone } from '../support/phone.ts';

const MESSAGES = '/2010-04-01/Accounts/project/Messages.json';
const PLIVO = '/v1/Account/MA1/Message/';
const form = (fields: Record<string, string> = {}) =>
  new URLSearchParams({ To: '+15550100100', From: '+15550100199', Body: 'Hi', ...fields }).toString();

t.test('only the account of the path comes in, with a token', async (t) => {
  const { ask, phone } = await startTestPhone(t);
  for (const credentials of [null, 'project:', ':token', 'project', 'other:token', 'MA1:token']) {
    const { status, headers, body } = await ask(MESSAGES, { body: form(), credentials });
    t.equal(status, 401, String(credentials));
    t.match(JSON.parse(body), { code: 20003, status: 401 });
    t.match(headers['www-authenticate'], /^Basic/);
  }
  t.match(await ask(PLIVO, { credentials: null, body: '{}', type: 'application/json' }), {
    status: 401,
    body: /error/,
  });
  t.strictSame(phone.messages, []);
  t.equal((await ask(MESSAGES, { body: form(), credentials: 'project:anything' })).status, 201);
});

t.test('a provider that is given an account takes no other', async (t) => {
  const credentials = { signalwire: { account: 'project', token: 'right' } };
  const { ask } = await startTestPhone(t, { credentials });
  t.equal((await ask(MESSAGES, { body: form(), credentials: 'project:wrong' })).status, 401);
  t.equal((await ask(MESSAGES.replace('project', 'other'), { body: form() })).status, 401);
  t.equal((await ask(MESSAGES, { body: form(), credentials: 'project:right' })).status, 201);
  const body = '{"src":"15550100199","dst":"15550100100","text":"Hi"}';
  t.equal((await ask(PLIVO, { body, type: 'application/json' })).status, 202, 'another is as before');
});

t.test('a wrong method, type, size or path is told', async (t) => {
  const { ask } = await startTestPhone(t);
  t.match(await ask(MESSAGES, { method: 'GET' }), { status: 405, headers: { allow: 'POST' } });
  t.match(await ask(MESSAGES, { body: form(), type: 'text/plain' }), { status: 415 });
  t.match(await ask(MESSAGES, { body: form(), type: 'application/x-www-form-urlencoded; charset=UTF-8' }), {
    status: 201,
  });
  t.match(await ask(MESSAGES, { body: form({ Body: 'x'.repeat(70_000) }) }), { status: 413 });
  t.match(await ask(`${MESSAGES}?To=1`, { body: form() }), { status: 400, body: /query/ });
  for (const path of ['/', '/2010-04-01/Accounts/project/Faxes.json', '/messages']) {
    t.match(await ask(path, { body: form() }), { status: 404, body: /20404/ });
  }
});

t.test('every request is remembered, without the token', async (t) => {
  const { ask, phone } = await startTestPhone(t);
  await ask(MESSAGES, { body: form(), credentials: 'other:secret' });
  await ask(MESSAGES, { body: form({ Nonsense: '1' }), credentials: 'project:secret' });
  await ask(MESSAGES, { body: form({ To: '+15550100903' }), credentials: 'project:secret' });
  await ask(MESSAGES, { body: form(), credentials: 'project:secret' });
  const common = { provider: 'signalwire', channel: 'sms', to: null, fault: null };
  t.strictSame(phone.requests, [
    { ...common, status: 401 },
    { ...common, status: 400 },
    { ...common, to: '+15550100903', fault: 'too_many_requests', status: 429 },
    { ...common, to: '+15550100100', status: 201 },
  ]);
  t.notMatch(JSON.stringify([phone.requests, phone.messages]), 'secret');
});

t.test('a fault of the provider goes before the number’s, and ends', async (t) => {
  const { ask, phone } = await startTestPhone(t);
  phone.fault('signalwire', 'server_error');
  t.match(await ask(MESSAGES, { body: form() }), { status: 500, body: /^<!doctype html>/ });
  t.match(await ask(MESSAGES, { body: form({ To: '+15550100901' }) }), { status: 500 });
  const body = '{"src":"15550100199","dst":"15550100100","text":"Hi"}';
  t.match(await ask(PLIVO, { body, type: 'application/json' }), { status: 202 });
  phone.fault('signalwire', null);
  t.match(await ask(MESSAGES, { body: form() }), { status: 201 });
});
