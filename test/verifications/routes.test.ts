import t from 'tap';
import { deriveKeys } from '../../src/seal/keys.ts';
import { ALICE, testApp, wrongCode } from '../support/build-app.ts';
import { BANK, NEW_SHOP, NUMBER, OLD, SHOP, verificationApi } from '../support/verifications.ts';

t.test('a number is proved once, by the code that was sent to it', async (t) => {
  const { ask, check, messages, logs } = await verificationApi();
  const { response, id, code } = await ask();
  t.equal(response.statusCode, 201);
  t.strictSame(response.json(), {
    id,
    status: 'pending',
    to: '+1 ••• ••• ••01',
    channel: 'sms',
    expiresAt: '2030-01-01T00:01:00Z',
    resendAt: '2030-01-01T00:00:00Z',
    attemptsLeft: 5,
  });
  t.match(id, /^[\w.-]{1,511}$/);
  t.equal(response.headers['cache-control'], 'no-store');
  t.match(messages, [{ to: NUMBER, channel: 'sms', locale: 'en' }]);
  const approved = await check(id, code);
  t.equal(approved.statusCode, 200);
  t.strictSame(approved.json(), { status: 'approved', to: '+1 ••• ••• ••01' });
  t.match((await check(id, code)).json(), { status: 409, code: 'otp_used' });
  t.notOk(logs.some((line) => line.includes(code) || line.includes(NUMBER.slice(2)) || line.includes(id)));
});

t.test('without a good key nothing is said, and nothing sent', async (t) => {
  const { app, ask, messages } = await verificationApi();
  const { id, code } = await ask();
  const bodies = { '': { to: NUMBER }, '/check': { id, code }, '/resend': { id } };
  for (const [path, body] of Object.entries(bodies)) {
    const answers = new Set<string>();
    for (const authorization of [
      undefined,
      '',
      'Bearer nobody',
      `Bearer ${OLD.key}`,
      `Basic ${SHOP.key}`,
      `Bearer ${SHOP.key}x`,
      SHOP.key,
    ]) {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await app.inject({ method: 'POST', url: `/verifications${path}`, headers, payload: body });
      t.equal(response.statusCode, 401);
      t.equal(response.headers['www-authenticate'], 'Bearer');
      answers.add(response.body);
    }
    const malformed = await app.inject({ method: 'POST', url: `/verifications${path}`, payload: { what: 1 } });
    answers.add(malformed.body);
    t.equal(answers.size, 1, path);
    t.match(JSON.parse([...answers][0] ?? ''), { code: 'not_authenticated' });
  }
  t.equal(messages.length, 1);
});

t.test('the same without any key configured', async (t) => {
  const { post } = await testApp();
  t.equal(
    (await post('/verifications', { to: NUMBER }, undefined, { authorization: `Bearer ${SHOP.key}` })).statusCode,
    401,
  );
});

t.test('one key cannot check or resend what another asked for, a second key of the name can', async (t) => {
  const { ask, check, call } = await verificationApi();
  const { id, code } = await ask();
  t.match((await check(id, code, {}, BANK.key)).json(), { status: 401, code: 'challenge_missing' });
  t.match((await call('/resend', { id }, BANK.key)).json(), { status: 401, code: 'challenge_missing' });
  t.equal((await check(id, code, {}, NEW_SHOP.key)).statusCode, 200);
});

t.test('any replica with the keys can check, none without them', async (t) => {
  const first = await verificationApi();
  const { id, code } = await first.ask();
  const foreign = await verificationApi({ ports: { keys: deriveKeys([Buffer.alloc(32, 2)]) } });
  t.match((await foreign.check(id, code)).json(), { status: 401, code: 'challenge_missing' });
  const restarted = await verificationApi();
  t.match((await restarted.check(id, code)).json(), { status: 'approved' });
});

t.test('an id is good as an id only, and nothing else as one', async (t) => {
  const { ask, check, login, get, post } = await verificationApi();
  const { id, code } = await ask();
  const { jar } = await login();
  const cookie = jar.cookies.get('doorcode-challenge') ?? '';
  const asToken = decodeURIComponent(cookie)
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
    .replace(';', '.');
  t.match((await check(asToken, code)).json(), { code: 'challenge_missing' });
  jar.cookies.set('doorcode-challenge', id);
  t.equal((await post('/otp', { otp: code }, jar)).statusCode, 401);
  jar.cookies.set('doorcode-session', id);
  t.equal((await get('/session', jar)).statusCode, 401);
  for (const other of ['x', id.slice(0, -1), `${id}x`, `${id.slice(0, 40)}A${id.slice(41)}`]) {
    t.match((await check(other, code)).json(), { code: 'challenge_missing' });
  }
});

t.test('bad input is told, and costs nothing', async (t) => {
  const { app, call, ask, check, messages } = await verificationApi({
    ports: { isPossible: async (to) => to !== '+15550100' },
  });
  for (const body of [
    {},
    { to: 1 },
    { to: '5550100101' },
    { to: '+1 555 010 0101' },
    { to: `+1555010010${'1'.repeat(9)}` },
    { to: NUMBER, more: 1 },
    { to: NUMBER, channel: 'pigeon' },
    { to: NUMBER, locale: '../x' },
    { to: [NUMBER] },
    { to: [NUMBER, '+15550100199'] },
    { to: `${NUMBER},+15550100199` },
    { to: '+15550100' },
  ]) {
    t.match((await call('', body)).json(), { status: 400, code: 'invalid_request', detail: /./ }, JSON.stringify(body));
  }
  t.equal(messages.length, 0);
  const { id, code } = await ask();
  for (const body of [
    { id },
    { code },
    { id, code: `${code} ` },
    { id, code: Number(code) },
    { id, code: [code] },
    { id, code: `${code}0` },
    { id: 'x'.repeat(600), code },
    { id, code, to: 'nobody' },
    { id, code, more: 1 },
  ]) {
    t.match((await call('/check', body)).json(), { status: 400, code: 'invalid_request' }, JSON.stringify(body));
  }
  const browser = await app.inject({
    method: 'POST',
    url: '/verifications',
    headers: { authorization: `Bearer ${SHOP.key}`, accept: 'text/html' },
    payload: {},
  });
  t.match(browser.headers['content-type'], 'application/problem+json', 'no pages here');
  t.match((await check(id, wrongCode(code))).json(), { attemptsLeft: 4 });
});

t.test('a code of the API is no second factor of a login, not even to the same phone', async (t) => {
  const { login, ask, check, get, post } = await verificationApi();
  const { jar, code } = await login();
  const asked = await ask({ to: ALICE.phone });
  t.match((await post('/otp', { otp: asked.code })).json(), { code: 'challenge_missing' });
  t.match((await post('/otp', { otp: asked.code }, jar.clone())).json(), { code: 'otp_invalid' });
  const approved = await check(asked.id, asked.code);
  t.equal(approved.statusCode, 200);
  t.equal(approved.headers['set-cookie'], undefined);
  t.equal((await get('/session', jar.clone())).statusCode, 401, 'the password alone is no session either');
  t.equal((await post('/otp', { otp: code }, jar)).statusCode, 200);
  t.strictSame((await get('/session', jar)).json().amr, ['pwd', 'otp', 'sms']);
});
