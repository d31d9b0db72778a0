import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import type { DoorcodeEvent } from '../../src/events.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { PASSWORD, testApp, wrongCode } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

t.test(
  'wrong codes tell how many guesses are left; then the challenge is closed, for the right code too',
  async (t) => {
    const { login, post } = await testApp();
    const { jar, code } = await login();
    for (const attemptsLeft of [4, 3, 2, 1, 0]) {
      const wrong = await post('/otp', { otp: wrongCode(code) }, jar);
      t.equal(wrong.statusCode, 403);
      t.strictSame(wrong.json(), {
        status: 403,
        code: 'otp_invalid',
        title: 'Invalid one-time password',
        attemptsLeft,
      });
    }
    const right = await post('/otp', { otp: code }, jar);
    t.equal(right.statusCode, 429);
    t.equal(right.json().code, 'otp_attempts_exhausted');
  },
);

t.test('an older cookie put back after four wrong codes gets one more guess, not five', async (t) => {
  const { login, post } = await testApp();
  const { jar, code } = await login();
  const original = jar.clone();
  for (let guess = 0; guess < 4; guess += 1) await post('/otp', { otp: wrongCode(code) }, jar);
  t.equal((await post('/otp', { otp: wrongCode(code) }, original)).json().attemptsLeft, 0);
  t.equal((await post('/otp', { otp: code }, original)).json().code, 'otp_attempts_exhausted');
});

t.test('a code signs in once: its cookie put back is refused, with any code', async (t) => {
  const { login, post } = await testApp();
  const { jar, code } = await login();
  const copy = jar.clone();
  t.equal((await post('/otp', { otp: code }, jar)).statusCode, 200);
  for (const otp of [code, wrongCode(code), code, code, code, code, code]) {
    const again = await post('/otp', { otp }, copy);
    t.equal(again.statusCode, 409);
    t.strictSame(again.json(), { status: 409, code: 'otp_used', title: 'One-time password has been used or replaced' });
  }
});

t.test('a cookie put back after four wrong codes and a success is used, not open', async (t) => {
  const { login, post } = await testApp();
  const { jar, code } = await login();
  const copy = jar.clone();
  for (let guess = 0; guess < 4; guess += 1) await post('/otp', { otp: wrongCode(code) }, jar);
  await post('/otp', { otp: code }, jar);
  t.equal((await post('/otp', { otp: code }, copy)).json().code, 'otp_used');
});

t.test('fifty parallel posts of the right code give exactly one session', async (t) => {
  const { login, post } = await testApp();
  const { jar, code } = await login();
  const responses = await Promise.all(Array.from({ length: 50 }, () => post('/otp', { otp: code }, jar.clone())));
  t.equal(responses.filter(({ statusCode }) => statusCode === 200).length, 1);
  const others = new Set(responses.filter(({ statusCode }) => statusCode !== 200).map((r) => r.json().code));
  for (const code of others) t.ok(['otp_used', 'otp_attempts_exhausted'].includes(code), code);
  t.equal(responses.filter(({ headers }) => String(headers['set-cookie']).includes('doorcode-session')).length, 1);
  const next = await login();
  t.equal((await post('/otp', { otp: next.code }, next.jar)).statusCode, 200, 'the account is not locked by it');
});

t.test('fifty parallel wrong codes: five are compared', async (t) => {
  const { login, post } = await testApp();
  const { jar, code } = await login();
  const responses = await Promise.all(
    Array.from({ length: 50 }, () => post('/otp', { otp: wrongCode(code) }, jar.clone())),
  );
  t.equal(responses.filter(({ statusCode }) => statusCode === 403).length, 5);
  t.equal(responses.filter(({ statusCode }) => statusCode === 429).length, 45);
});

t.test('an expired code is told so and spends no guess', async (t) => {
  const { login, post, clock } = await testApp();
  const { jar, code } = await login();
  clock.advance(60);
  for (const otp of [code, wrongCode(code), code, code, code, code]) {
    const late = await post('/otp', { otp }, jar);
    t.equal(late.statusCode, 410);
    t.strictSame(late.json(), { status: 410, code: 'otp_expired', title: 'One-time password has expired' });
  }
  clock.advance(-1);
  t.equal((await post('/otp', { otp: code }, jar)).statusCode, 200);
});

t.test('without a challenge there is nothing to check', async (t) => {
  const { post } = await testApp();
  const response = await post('/otp', { otp: '123456' });
  t.equal(response.statusCode, 401);
  t.equal(response.json().code, 'challenge_missing');
});

t.test('a challenge from the future is none', async (t) => {
  const { login, post, clock } = await testApp();
  const { jar, code } = await login();
  clock.advance(-6);
  t.equal((await post('/otp', { otp: code }, jar)).json().code, 'challenge_missing');
  clock.advance(1);
  t.equal((await post('/otp', { otp: code }, jar)).statusCode, 200);
});

t.test('ten wrong codes in a row lock the account, whatever the challenges', async (t) => {
  const { login, post, clock } = await testApp();
  const first = await login();
  for (let guess = 0; guess < 4; guess += 1) await post('/otp', { otp: wrongCode(first.code) }, first.jar);
  await post('/otp/resend', {}, first.jar);
  const second = await login();
  for (let guess = 0; guess < 4; guess += 1) await post('/otp', { otp: wrongCode(second.code) }, second.jar);
  const third = await login();
  for (let guess = 0; guess < 2; guess += 1) {
    t.equal((await post('/otp', { otp: wrongCode(third.code) }, third.jar)).statusCode, 403);
  }
  const locked = await post('/otp', { otp: third.code }, third.jar);
  t.match(locked, { statusCode: 429, headers: { 'retry-after': '900' } });
  t.equal(locked.json().code, 'account_locked');
  t.equal((await post('/otp/resend', {}, third.jar)).json().code, 'account_locked');
  clock.advance(900);
  const after = await login();
  t.equal((await post('/otp', { otp: after.code }, after.jar)).statusCode, 200);
});

t.test('a lock that comes late, because the limit has been lowered, is told of as any other', async (t) => {
  const clock = fakeClock();
  const events: DoorcodeEvent[] = [];
  const ports = { limits: createMemoryLimits({ clock }), keys: deriveKeys([Buffer.alloc(32, 3)]) };
  const before = await testApp({ clock, ports });
  const after = await testApp({
    clock,
    ports: { ...ports, events: (event) => void events.push(event) },
    env: { LIMIT_ACCOUNT_FAILURES: '3' },
  });
  const { jar, code } = await before.login();
  for (let guess = 0; guess < 4; guess += 1) await before.post('/otp', { otp: wrongCode(code) }, jar);
  clock.advance(10);
  for (let guess = 0; guess < 2; guess += 1) {
    t.equal((await after.post('/otp', { otp: code }, jar)).json().code, 'account_locked');
  }
  t.match(events, [
    { type: 'locked', flow: 'sign_in', subject: 'alice', seconds: 900 },
    { type: 'checked', outcome: 'account_locked' },
    { type: 'checked', outcome: 'account_locked' },
  ]);
  t.equal(events.length, 3, 'once');
});

t.test('a lock that the store missed comes with the next guess, and then there is no new login', async (t) => {
  const clock = fakeClock();
  const memory = createMemoryLimits({ clock });
  let missed = 0;
  const limits = {
    ...memory,
    async claim(rule: string, key: string, ttlSeconds: number) {
      if (rule === 'lock' && missed === 0) {
        missed += 1;
        throw new DoorcodeError('limits_unavailable');
      }
      return memory.claim(rule, key, ttlSeconds);
    },
  };
  const { login, post } = await testApp({ clock, ports: { limits } });
  const [one, other, third] = [await login(), await login(), await login()];
  for (const { jar, code } of [one, other]) {
    for (let guess = 0; guess < 5; guess += 1) await post('/otp', { otp: wrongCode(code) }, jar);
  }
  t.equal(missed, 1);
  const right = async () => (await post('/otp', { otp: third.code }, third.jar.clone())).json().code;
  t.equal(await right(), 'account_locked');
  clock.advance(6);
  t.equal(await right(), 'account_locked');
  t.equal((await login()).response.json().code, 'invalid_credentials');
});

t.test('no route leads around the lock of an account', async (t) => {
  const { login, post, postForm, messages } = await testApp({ env: { LIMIT_ACCOUNT_FAILURES: '4' } });
  const [one, other] = [await login(), await login()];
  for (let guess = 0; guess < 4; guess += 1) await post('/otp', { otp: wrongCode(one.code) }, one.jar);
  const sent = messages.length;
  for (const { jar, code } of [one, other]) {
    t.equal((await post('/otp', { otp: code }, jar.clone())).json().code, 'account_locked');
    const form = await postForm('/otp', { otp: code }, jar.clone());
    t.notMatch(String(form.headers['set-cookie']), /doorcode-session=[^;]/);
    for (const channel of ['sms', 'voice']) {
      t.equal((await post('/otp/resend', { channel }, jar.clone())).json().code, 'account_locked');
    }
  }
  for (const username of ['alice', 'ALICE']) {
    const again = await post('/login', { username, password: PASSWORD, channel: 'voice' });
    t.equal(again.json().code, 'invalid_credentials', username);
  }
  t.equal(messages.length, sent);
});
