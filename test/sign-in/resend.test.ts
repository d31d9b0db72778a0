import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { BROWSER, testApp, wrongCode } from '../support/build-app.ts';

t.test('a new code replaces the old one, which is refused from then on', async (t) => {
  const { login, post, messages } = await testApp();
  const { jar, code } = await login();
  const old = jar.clone();
  const resent = await post('/otp/resend', {}, jar);
  t.match(resent.json(), { status: 'otp_sent', channel: 'sms', attemptsLeft: 5 });
  const next = messages[1]?.code ?? '';
  t.not(next, code);
  t.equal((await post('/otp', { otp: code }, old)).json().code, 'otp_used');
  t.equal((await post('/otp', { otp: code }, jar)).json().code, 'otp_invalid');
  t.equal((await post('/otp', { otp: next }, jar)).statusCode, 200);
});

t.test('resending opens no new guesses for the account, but does for the challenge', async (t) => {
  const { login, post, messages } = await testApp({ env: { LIMIT_ACCOUNT_FAILURES: '7' } });
  const { jar, code } = await login();
  for (let guess = 0; guess < 5; guess += 1) await post('/otp', { otp: wrongCode(code) }, jar);
  await post('/otp/resend', {}, jar);
  const next = messages[1]?.code ?? '';
  t.equal((await post('/otp', { otp: wrongCode(next) }, jar)).json().attemptsLeft, 4);
  await post('/otp', { otp: wrongCode(next) }, jar);
  t.equal((await post('/otp', { otp: next }, jar)).json().code, 'account_locked');
});

t.test('an expired code can be replaced while the login lasts; then the user logs in again', async (t) => {
  const { login, post, clock } = await testApp();
  const { jar } = await login();
  clock.advance(599);
  const last = await post('/otp/resend', undefined, jar);
  t.equal(last.statusCode, 200);
  t.match(String(last.headers['set-cookie']), 'Max-Age=60;', 'kept for the life of this last code');
  clock.advance(1);
  const late = await post('/otp/resend', undefined, jar);
  t.equal(late.statusCode, 401);
  t.equal(late.json().code, 'challenge_missing');
});

t.test('the last code of a login lives its whole time', async (t) => {
  const { login, post, clock, messages } = await testApp();
  const { jar } = await login();
  clock.advance(599);
  await post('/otp/resend', undefined, jar);
  clock.advance(59);
  t.equal((await post('/otp', { otp: messages[1]?.code }, jar)).statusCode, 200);
});

t.test(
  'what was chosen at login stays: the target, the login time, the channel unless another is asked for',
  async (t) => {
    const { post, messages, login } = await testApp();
    const { jar } = await login();
    t.equal((await post('/otp/resend', { channel: 'voice' }, jar)).json().channel, 'voice');
    t.equal((await post('/otp/resend', {}, jar)).json().channel, 'voice');
    t.strictSame(
      messages.map(({ channel }) => channel),
      ['sms', 'voice', 'voice'],
    );
  },
);

t.test('when sending fails, the old code stays good', async (t) => {
  const { login, post, failDelivery } = await testApp();
  const { jar, code } = await login();
  failDelivery(new DoorcodeError('delivery_failed', { retryAfterSeconds: 5 }));
  const failed = await post('/otp/resend', {}, jar);
  t.equal(failed.statusCode, 503);
  t.notOk(failed.headers['set-cookie']);
  t.equal((await post('/otp', { otp: code }, jar)).statusCode, 200);
});

t.test('a used challenge is not renewed', async (t) => {
  const { login, post, messages } = await testApp();
  const { jar, code } = await login();
  const copy = jar.clone();
  await post('/otp', { otp: code }, jar);
  t.equal((await post('/otp/resend', {}, copy)).json().code, 'otp_used');
  t.equal(messages.length, 1);
});

t.test(
  'when the old code signs in while the new one is on its way, there is one session and no new challenge',
  async (t) => {
    const { login, post, onDeliver } = await testApp();
    const { jar, code } = await login();
    const copy = jar.clone();
    onDeliver(async () => {
      t.equal((await post('/otp', { otp: code }, copy)).statusCode, 200);
    });
    const resent = await post('/otp/resend', {}, jar);
    t.equal(resent.json().code, 'otp_used');
    t.notOk(resent.headers['set-cookie']);
  },
);

t.test('within the cooldown nothing is sent', async (t) => {
  const { login, post, clock, messages } = await testApp({ env: { RESEND_COOLDOWN: '30' } });
  const { jar } = await login();
  clock.advance(29);
  t.match(await post('/otp/resend', {}, jar), { statusCode: 429, headers: { 'retry-after': '1' } });
  clock.advance(1);
  t.equal((await post('/otp/resend', {}, jar)).statusCode, 200);
  t.equal(messages.length, 2);
});

t.test('reloading the page after a resend sends nothing: the browser is sent on with GET', async (t) => {
  const { login, get, postForm, messages } = await testApp();
  const { jar } = await login();
  t.match(await postForm('/otp/resend', { channel: 'sms' }, jar), { statusCode: 303, headers: { location: '/otp' } });
  for (let reload = 0; reload < 3; reload += 1) t.equal((await get('/otp', jar, BROWSER)).statusCode, 200);
  t.equal(messages.length, 2);
});
