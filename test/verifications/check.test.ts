import { createLocalJWKSet, jwtVerify } from 'jose';
import t from 'tap';
import type { DoorcodeEvent } from '../../src/events.ts';
import { createAssertions } from '../../src/gateway/assertion.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { wrongCode } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { BANK, NUMBER, TEST_NUMBER, verificationApi } from '../support/verifications.ts';

t.test('what a check can turn out to be', async (t) => {
  const { ask, check, clock } = await verificationApi();
  const first = await ask();
  for (let left = 4; left >= 0; left -= 1) {
    t.match((await check(first.id, wrongCode(first.code))).json(), {
      status: 403,
      code: 'otp_invalid',
      attemptsLeft: left,
    });
  }
  t.match((await check(first.id, first.code)).json(), { status: 429, code: 'otp_attempts_exhausted' });

  const second = await ask();
  t.match((await check(first.id, second.code)).json(), { status: 429 }, 'a code of another id');
  t.match((await check(second.id, first.code)).json(), { code: 'otp_invalid', attemptsLeft: 4 });
  clock.advance(60);
  t.match((await check(second.id, second.code)).json(), { status: 410, code: 'otp_expired' });
  clock.advance(540);
  t.match((await check(second.id, second.code)).json(), { status: 401, code: 'challenge_missing' });
});

t.test('the number that is meant can be told; another one is a wrong guess', async (t) => {
  const { ask, check } = await verificationApi();
  const { id, code } = await ask();
  t.match((await check(id, code, { to: '+15550100102' })).json(), { code: 'otp_invalid', attemptsLeft: 4 });
  t.match((await check(id, code, { to: NUMBER })).json(), { status: 'approved' });
});

t.test('ten wrong codes in a row lock a number, for the one key', async (t) => {
  const { ask, check } = await verificationApi();
  for (let round = 0; round < 2; round += 1) {
    const { id, code } = await ask();
    for (let guess = 0; guess < 5; guess += 1) await check(id, wrongCode(code));
  }
  const { id, code } = await ask();
  t.match((await check(id, code)).json(), { status: 429, code: 'account_locked' });
  const bank = await ask({}, BANK.key);
  t.equal((await check(bank.id, bank.code, {}, BANK.key)).statusCode, 200);
});

t.test('all guess limits hold for test numbers, too', async (t) => {
  const { ask, check } = await verificationApi({ env: TEST_NUMBER });
  const { id } = await ask({ to: '+15550100001' });
  for (let guess = 0; guess < 5; guess += 1) await check(id, '000000');
  t.match((await check(id, '123456')).json(), { code: 'otp_attempts_exhausted' });
});

t.test('after their last day they are numbers like all others', async (t) => {
  const { ask, check, clock, messages } = await verificationApi({ env: TEST_NUMBER });
  clock.advance(86_399);
  const last = await ask({ to: '+15550100001' });
  t.equal(messages.length, 0);
  clock.advance(1);
  t.match((await check(last.id, '123456')).json(), { code: 'otp_invalid' });
  const sent = await ask({ to: '+15550100001' });
  t.equal(messages.length, 1);
  t.match((await check(sent.id, sent.code)).json(), { status: 'approved' });
});

t.test('parallel right codes: one is approved', async (t) => {
  const { ask, check } = await verificationApi();
  const { id, code } = await ask();
  const answers = await Promise.all(Array.from({ length: 5 }, () => check(id, code)));
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [200, 409, 409, 409, 409]);
});

t.test('with a key to sign with, what is approved has a receipt that anybody can check', async (t) => {
  const seed = Buffer.alloc(32, 7);
  const clock = fakeClock();
  const issuer = 'https://login.example.com';
  const assertions = createAssertions({ keys: [seed], issuer, audience: [issuer], clock });
  for (const [channel, amr] of [
    ['sms', ['otp', 'sms']],
    ['voice', ['otp', 'tel']],
  ] as const) {
    const { ask, check, get } = await verificationApi({ clock, ports: { assertions } });
    const { id, code } = await ask({ channel });
    t.notOk('receipt' in (await check(id, wrongCode(code))).json());
    const { receipt } = (await check(id, code)).json();
    const keys = createLocalJWKSet((await get('/.well-known/jwks.json')).json());
    const { payload } = await jwtVerify(receipt, keys, { issuer, audience: issuer, currentDate: new Date(clock()) });
    t.match(payload, { sub: NUMBER, amr, auth_time: clock() / 1000, exp: clock() / 1000 + 60, jti: /^[\w-]{22}$/ });
    t.notOk((payload['amr'] as string[]).includes('pwd'), 'nobody takes it for a signed-in user');
  }
});

t.test('a lock that comes late, because the limit has been lowered, is told of as any other', async (t) => {
  const clock = fakeClock();
  const events: DoorcodeEvent[] = [];
  const limits = createMemoryLimits({ clock });
  const before = await verificationApi({ clock, ports: { limits } });
  const after = await verificationApi({
    clock,
    ports: { limits, events: (event) => void events.push(event) },
    env: { LIMIT_ACCOUNT_FAILURES: '3' },
  });
  const { id, code } = await before.ask();
  for (let guess = 0; guess < 4; guess += 1) await before.check(id, wrongCode(code));
  clock.advance(10);
  t.match((await after.check(id, code)).json(), { code: 'account_locked' });
  t.match(events, [
    { type: 'locked', flow: 'verification', key: 'shop', subject: NUMBER, seconds: 900 },
    { type: 'checked', outcome: 'account_locked' },
  ]);
});
