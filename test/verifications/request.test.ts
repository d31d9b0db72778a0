import t from 'tap';
import { createNumberRules } from '../../src/delivery/number-rules.ts';
import { DoorcodeError } from '../../src/errors.ts';
import { makeApiKey } from '../../src/verifications/api-keys.ts';
import { seededRandom, wrongCode } from '../support/build-app.ts';
import { NUMBER, SHOP, TEST_NUMBER, verificationApi } from '../support/verifications.ts';

t.test('a resend has another id and another code, and closes the first', async (t) => {
  const { ask, check, call, messages, clock } = await verificationApi({ env: { RESEND_COOLDOWN: '30' } });
  const first = await ask({ locale: 'fr' });
  t.equal(first.response.json().resendAt, '2030-01-01T00:00:30Z');
  const early = await call('/resend', { id: first.id });
  t.match(early.json(), { status: 429, code: 'too_many_requests', retryAfter: 30 });
  t.equal(early.headers['retry-after'], '30');
  clock.advance(30);
  const second = await call('/resend', { id: first.id, channel: 'voice' });
  t.equal(second.statusCode, 201);
  t.match(second.json(), { status: 'pending', channel: 'voice', expiresAt: '2030-01-01T00:01:30Z' });
  t.not(second.json().id, first.id);
  t.match(messages.at(-1), { channel: 'voice', locale: 'fr' });
  t.not(messages.at(-1)?.code, first.code);
  t.match((await check(first.id, first.code)).json(), { status: 409, code: 'otp_used' });
  t.match((await call('/resend', { id: first.id })).json(), { status: 409, code: 'otp_used' });
  t.match((await check(second.json().id, messages.at(-1)?.code ?? '')).json(), { status: 'approved' });
  t.match((await call('/resend', { id: second.json().id })).json(), { code: 'otp_used' });
});

t.test('a verification that is too old is asked for anew', async (t) => {
  const { ask, call, clock } = await verificationApi();
  const { id } = await ask();
  clock.advance(600);
  t.match((await call('/resend', { id })).json(), { status: 401, code: 'challenge_missing' });
});

t.test('when nobody delivers, there is no id, and the send is given back', async (t) => {
  const { ask, failDelivery, call } = await verificationApi({ env: { LIMIT_SEND_KEY: '1/3600' } });
  for (const code of ['delivery_failed', 'delivery_rejected'] as const) {
    failDelivery(new DoorcodeError(code));
    t.match((await ask()).response.json(), { code });
  }
  failDelivery(null);
  t.equal((await ask()).response.statusCode, 201);
  t.match((await call('', { to: '+15550109999' })).json(), { status: 429, code: 'too_many_requests' });
});

t.test('neighbouring numbers: the block is full, other blocks and other limits go on', async (t) => {
  const { call, logs } = await verificationApi();
  const statuses = [];
  for (let i = 0; i < 32; i += 1)
    statuses.push((await call('', { to: `+155501001${String(i).padStart(2, '0')}` })).statusCode);
  t.strictSame(statuses, [...Array(30).fill(201), 429, 429]);
  t.equal((await call('', { to: '+15550101101' })).statusCode, 201);
  t.equal(
    logs.filter((line) => line.includes('"limit":"send-block"')).length,
    2,
    'each refusal is logged, by the limit',
  );
});

t.test('a test number has its fixed code, gets nothing, and each use is logged', async (t) => {
  const { ask, check, call, messages, logs } = await verificationApi({
    env: { ...TEST_NUMBER, LIMIT_SEND_PHONE: '1/600', LIMIT_SEND_KEY: '1/600', RESEND_COOLDOWN: '30' },
  });
  const to = '+15550100001';
  const first = await ask({ to });
  t.equal(first.response.statusCode, 201);
  t.match((await check(first.id, '123457')).json(), { code: 'otp_invalid', attemptsLeft: 4 }, 'guesses count');
  t.match((await check(first.id, '123456')).json(), { status: 'approved' });
  t.match((await check(first.id, '123456')).json(), { code: 'otp_used' });
  const second = await ask({ to });
  const resent = await call('/resend', { id: second.id });
  t.equal(resent.statusCode, 201, 'free of limits on sends');
  t.match((await check(second.id, '123456')).json(), { code: 'otp_used' });
  t.match((await check(resent.json().id, '123456')).json(), { status: 'approved' });
  t.equal(messages.length, 0);
  t.equal(logs.filter((line) => line.includes('test number')).length, 5);
  t.equal((await ask()).response.statusCode, 201, 'others are sent to');
  t.equal(messages.length, 1);
});

t.test('the language is told, or that of the request', async (t) => {
  const { app, ask, messages } = await verificationApi();
  await ask({ locale: 'de-AT' });
  t.equal(messages.at(-1)?.locale, 'de');
  const headers = { authorization: `Bearer ${SHOP.key}`, 'accept-language': 'es-MX' };
  await app.inject({ method: 'POST', url: '/verifications', headers, payload: { to: NUMBER } });
  t.equal(messages.at(-1)?.locale, 'es');
});

t.test('a test number that has become an ordinary one is sent to when it is asked for again', async (t) => {
  const { ask, call, check, clock, messages } = await verificationApi({ env: TEST_NUMBER });
  clock.advance(86_390);
  const { id } = await ask({ to: '+15550100001' });
  clock.advance(20);
  const resent = await call('/resend', { id });
  t.equal(messages.length, 1);
  t.match((await check(resent.json().id, messages[0]?.code ?? '')).json(), { status: 'approved' });
});

t.test('the id stays short, whatever it holds', async (t) => {
  const key = makeApiKey('x'.repeat(64), seededRandom('long'));
  const { ask } = await verificationApi({ env: { API_KEYS: key.entry, OTP_DIGITS: '10' } });
  const { id, response } = await ask(
    { to: '+155501001012345', locale: 'deutschl-abcdefgh-abcdefgh-abcdefgh' },
    key.key,
  );
  t.equal(response.statusCode, 201);
  t.ok(id.length < 512, String(id.length));
});

t.test('digits after a complete number begin no new count: cooldown, block, and wrong codes', async (t) => {
  const { countedNumber, isPossible } = createNumberRules([]);
  const { call, check, ask, clock } = await verificationApi({
    env: { RESEND_COOLDOWN: '30', LIMIT_ACCOUNT_FAILURES: '2', LIMIT_SEND_BLOCK: '3/3600' },
    ports: { countedNumber, isPossible },
  });
  const { id, code } = await ask({ to: '+4915112345678' });
  for (const to of ['+491511234567800', '+49151123456780', '+49015112345678']) {
    t.match((await call('', { to })).json(), { status: 429, code: 'too_many_requests' }, to);
  }
  t.match((await call('', { to: '+155501001011' })).json(), { status: 400, code: 'invalid_request' }, 'too long');
  clock.advance(30);
  const second = await ask({ to: '+491511234567812' });
  t.equal(second.response.statusCode, 201);
  for (const [sent, guess] of [
    [id, code],
    [second.id, second.code],
  ] as const) {
    t.equal((await check(sent, wrongCode(guess))).json().code, 'otp_invalid');
  }
  t.equal((await check(second.id, second.code)).json().code, 'account_locked', 'one lock for all spellings');
  clock.advance(30);
  t.equal((await ask({ to: '+49151123456781' })).response.statusCode, 201);
  clock.advance(30);
  const block = await call('', { to: '+4915119995678' });
  t.equal(block.statusCode, 201, 'another block');
  t.match((await call('', { to: '+4915112345679' })).json(), { code: 'too_many_requests' }, 'a neighbour');
});
