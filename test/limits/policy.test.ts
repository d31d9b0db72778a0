import t from 'tap';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { createPolicy, type LimitSettings } from '../../src/limits/policy.ts';
import { fakeClock } from '../support/fake-clock.ts';

const settings: LimitSettings = {
  otpAttempts: 5,
  accountFailures: 10,
  resendCooldownSeconds: 30,
  challengeTtlSeconds: 670,
};

function setUp(overrides: Partial<LimitSettings> = {}) {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  return { clock, limits, policy: createPolicy(limits, { ...settings, ...overrides }, clock) };
}

const challenge = (id: string, sub = 'alice') => ({ id, sub });

t.test('five guesses a challenge, counted before they are compared', async (t) => {
  const { policy } = setUp();
  const one = challenge('one');
  for (const attemptsLeft of [4, 3, 2, 1, 0]) t.equal((await policy.guess(one)).attemptsLeft, attemptsLeft);
  await t.rejects(policy.guess(one), { code: 'otp_attempts_exhausted', status: 429, attemptsLeft: 0 });
  t.equal((await policy.guess(challenge('two'))).attemptsLeft, 4, 'another challenge has its own');
});

t.test('parallel guesses do not outrun the count', async (t) => {
  const { policy } = setUp();
  const results = await Promise.allSettled(Array.from({ length: 50 }, () => policy.guess(challenge('one'))));
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 5);
  t.equal((await policy.guess(challenge('two'))).accountFailures, 6, 'the refused ones do not count for the account');
});

t.test('one success a challenge', async (t) => {
  const { policy } = setUp();
  const one = challenge('one');
  await policy.guess(one);
  const results = await Promise.allSettled(Array.from({ length: 50 }, () => policy.succeed(one)));
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  await t.rejects(policy.guess(one), { code: 'otp_used', status: 409 });
  await t.rejects(policy.assertOpen(one), { code: 'otp_used' });
});

t.test('a challenge that was replaced is used, also when its guesses were exhausted', async (t) => {
  const { policy } = setUp();
  const one = challenge('one');
  await policy.assertOpen(one);
  for (let guess = 0; guess < 6; guess += 1) await policy.guess(one).catch(() => {});
  t.equal(await policy.close(one), true);
  t.equal(await policy.close(one), false);
  await t.rejects(policy.guess(one), { code: 'otp_used' });
});

/** Spends wrong codes on fresh challenges, as many as asked for. */
async function guessWrong(policy: ReturnType<typeof setUp>['policy'], times: number, prefix: string, sub = 'alice') {
  for (let guess = 0; guess < times; guess += 1) {
    const one = challenge(`${prefix}${guess}`, sub);
    await policy.wrong(one, await policy.guess(one));
  }
}

t.test(
  'ten wrong codes in a row lock the account, over all its challenges: 15 min, then 30, up to a day',
  async (t) => {
    const { policy, clock } = setUp();
    for (const [round, minutes] of [15, 30, 60, 120, 240, 480, 960, 1440, 1440].entries()) {
      await guessWrong(policy, 9, `${round}-`);
      await policy.assertUnlocked('alice');
      await guessWrong(policy, 1, `${round}-last-`);
      await t.rejects(policy.assertUnlocked('alice'), { code: 'account_locked', retryAfterSeconds: minutes * 60 });
      clock.advance(minutes * 60 - 1);
      await t.rejects(policy.guess(challenge(`${round}-locked`)), { code: 'account_locked', retryAfterSeconds: 1 });
      clock.advance(1);
      await policy.assertUnlocked('alice');
    }
  },
);

t.test('a success ends the row, and the lock begins at 15 min again; a new challenge does neither', async (t) => {
  const { policy, clock } = setUp();
  await guessWrong(policy, 10, 'a');
  clock.advance(900);
  await guessWrong(policy, 9, 'b');
  await policy.guess(challenge('right'));
  await policy.succeed(challenge('right'));
  await guessWrong(policy, 9, 'c');
  await policy.assertUnlocked('alice');
  await guessWrong(policy, 1, 'd');
  await t.rejects(policy.assertUnlocked('alice'), { code: 'account_locked', retryAfterSeconds: 900 });
});

t.test(
  'a guess on a locked account is refused, and costs neither the challenge nor the account anything',
  async (t) => {
    const { policy, clock } = setUp();
    await guessWrong(policy, 10, 'a');
    for (let guess = 0; guess < 20; guess += 1)
      await t.rejects(policy.guess(challenge('one')), { code: 'account_locked' });
    clock.advance(900);
    t.strictSame(await policy.guess(challenge('one')), { attemptsLeft: 4, accountFailures: 1 });
  },
);

t.test('guesses on many challenges at once are bounded by the account as well', async (t) => {
  const { policy } = setUp();
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, index) => policy.guess(challenge(`parallel ${index}`))),
  );
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 10);
});

t.test('spellings of a name share one count, other names have their own', async (t) => {
  const { policy } = setUp();
  await guessWrong(policy, 4, 'a', 'bob');
  await guessWrong(policy, 3, 'b', 'BOB');
  await guessWrong(policy, 3, 'c', 'ｂｏｂ');
  for (const spelling of ['bob', 'BOB', 'ｂｏｂ']) {
    await t.rejects(policy.assertUnlocked(spelling), { code: 'account_locked' }, spelling);
  }
  await policy.assertUnlocked('bobby');
});

t.test('wrong codes are forgotten after a day without one', async (t) => {
  const { policy, clock } = setUp();
  await guessWrong(policy, 9, 'a');
  clock.advance(86_400);
  await guessWrong(policy, 9, 'b');
  await t.resolves(policy.assertUnlocked('alice'));
});

t.test('the account limit can be off; the challenge limit stays', async (t) => {
  const { policy } = setUp({ accountFailures: null });
  await guessWrong(policy, 100, 'a');
  await policy.assertUnlocked('alice');
  for (let guess = 0; guess < 5; guess += 1) await policy.guess(challenge('one'));
  await t.rejects(policy.guess(challenge('one')), { code: 'otp_attempts_exhausted' });
});

t.test('one code to a phone per cooldown', async (t) => {
  const { policy, clock } = setUp();
  const start = clock();
  t.equal((await policy.send('+15550100101')).resendAtMs, start + 30_000);
  clock.advance(10.5);
  await t.rejects(policy.send('+15550100101'), { code: 'too_many_requests', status: 429, retryAfterSeconds: 20 });
  await policy.send('+15550100102');
  clock.advance(19.5);
  await policy.send('+15550100101');
});

t.test('a send that did not come about is given back', async (t) => {
  const { policy } = setUp();
  await (await policy.send('+15550100101')).giveBack();
  await t.resolves(policy.send('+15550100101'));
});

t.test('no cooldown is no cooldown', async (t) => {
  const { policy, clock } = setUp({ resendCooldownSeconds: 0 });
  for (let send = 0; send < 5; send += 1) {
    const permit = await policy.send('+15550100101');
    t.equal(permit.resendAtMs, clock());
    await permit.giveBack();
  }
});
