import fc from 'fast-check';
import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import {
  createPolicy,
  type LimitSettings,
  lockSeconds,
  type Policy,
  type SendPermit,
  unlockAccount,
} from '../../src/limits/policy.ts';
import { fakeClock } from '../support/fake-clock.ts';

const settings: LimitSettings = {
  otpAttempts: 5,
  accountFailures: 10,
  resendCooldownSeconds: 30,
  challengeTtlSeconds: 670,
  passwordPair: [{ count: 5, seconds: 900 }],
  passwordUser: [{ count: 50, seconds: 3600 }],
  passwordAddress: [{ count: 100, seconds: 3600 }],
  sendPhone: [
    { count: 5, seconds: 600 },
    { count: 20, seconds: 86_400 },
  ],
  sendAccount: [{ count: 5, seconds: 600 }],
  sendAddress: [{ count: 30, seconds: 3600 }],
  sendKey: [{ count: 1000, seconds: 3600 }],
  sendBlock: [{ count: 30, seconds: 3600 }],
  sendLoginBlock: [],
  sendBudget: [],
};

function setUp(overrides: Partial<LimitSettings> = {}) {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  return { clock, limits, policy: createPolicy(limits, { ...settings, ...overrides }, clock) };
}

const challenge = (id: string, sub = 'alice') => ({ id, sub });

/** A send whose message a provider accepted. */
async function delivered(policy: Policy, ...send: Parameters<Policy['send']>): Promise<SendPermit> {
  const permit = await policy.send(...send);
  await permit.delivered();
  return permit;
}

t.test('five guesses a challenge, counted before they are compared', async (t) => {
  const { policy } = setUp();
  const one = challenge('one');
  for (const attemptsLeft of [4, 3, 2, 1, 0]) t.equal((await policy.guess(one)).attemptsLeft, attemptsLeft);
  await t.rejects(policy.guess(one), { code: 'otp_attempts_exhausted', status: 429, attemptsLeft: 0 });
  t.equal((await policy.guess(challenge('two'))).attemptsLeft, 4, 'another challenge has its own');
});

t.test('how a challenge stands is told without counting', async (t) => {
  const { clock, policy } = setUp({ accountFailures: 2 });
  const one = challenge('one');
  const asker = { sub: 'alice', address: '192.0.2.1' };
  const look = () => policy.standing(one, '+15550100101', asker);
  const start = { attemptsLeft: 5, closed: false, lockedUntilMs: undefined, resendAtMs: 0 };
  t.strictSame([await look(), await look()], [start, start]);
  const { resendAtMs } = await delivered(policy, '+15550100101', asker);
  t.strictSame(await look(), { ...start, resendAtMs });
  await policy.wrong(one, await policy.guess(one));
  t.equal((await look()).attemptsLeft, 4);
  await policy.wrong(one, await policy.guess(one));
  t.match(await look(), { attemptsLeft: 3, lockedUntilMs: clock() + 900_000 });
  await policy.close(one);
  t.equal((await look()).closed, true);
  const other = { apiKey: 'shop' };
  t.equal((await policy.standing(challenge('two', 'bob'), '+15550100102', other)).resendAtMs, 0, 'and of no other');
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

t.test('locks double from a quarter of an hour to a day', async (t) => {
  t.strictSame([1, 2, 3, 7, 8, 50].map(lockSeconds), [900, 1800, 3600, 57_600, 86_400, 86_400]);
});

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

t.test(
  'a row that nobody judged, because the store or the process went away, ends in a lock like any other',
  async (t) => {
    const { policy, clock } = setUp();
    for (let guess = 0; guess < 10; guess += 1) await policy.guess(challenge(`${guess}`));
    await t.rejects(policy.guess(challenge('meanwhile')), { code: 'account_locked', retryAfterSeconds: 1 });
    await t.resolves(policy.assertUnlocked('alice'), 'ten guesses may be compared at this moment');
    clock.advance(5);
    await t.rejects(policy.guess(challenge('later')), { code: 'account_locked', retryAfterSeconds: 900 });
    await t.rejects(policy.assertUnlocked('alice'), { code: 'account_locked', retryAfterSeconds: 900 });
    clock.advance(900);
    t.strictSame(await policy.guess(challenge('later')), { attemptsLeft: 4, accountFailures: 1 }, 'and it is over');
  },
);

t.test('a limit that is lowered below what was counted locks the account once', async (t) => {
  const { policy, limits, clock } = setUp();
  await guessWrong(policy, 8, 'a');
  clock.advance(60);
  const stricter = createPolicy(limits, { ...settings, accountFailures: 5 }, clock);
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => stricter.guess(challenge(`parallel ${index}`))),
  );
  t.ok(results.every(({ status }) => status === 'rejected'));
  await t.rejects(stricter.assertUnlocked('alice'), { code: 'account_locked', retryAfterSeconds: 900 }, 'not doubled');
  clock.advance(900);
  t.equal((await stricter.guess(challenge('later'))).accountFailures, 1);
});

t.test('a refused guess does not keep a full row alive', async (t) => {
  const { policy, limits, clock } = setUp();
  for (let guess = 0; guess < 10; guess += 1) await policy.guess(challenge(`${guess}`));
  const rowEnds = clock() + 86_400_000;
  const counts: number[] = [];
  const watched = {
    ...limits,
    async add(...args: Parameters<typeof limits.add>) {
      const count = await limits.add(...args);
      if (args[0] === 'failures') counts.push(count.resetAtMs);
      return count;
    },
  };
  clock.advance(4);
  await t.rejects(createPolicy(watched, settings, clock).guess(challenge('more')), {
    code: 'account_locked',
    retryAfterSeconds: 1,
  });
  t.strictSame(counts, [rowEnds]);
});

t.test('a lock that stands beside a full row, because the store went away between the two, is one lock', async (t) => {
  const { policy, limits, clock } = setUp();
  for (let guess = 0; guess < 10; guess += 1) await policy.guess(challenge(`${guess}`));
  const [key] = await accountKeys(limits, clock);
  await limits.claim('lock', key ?? '', 900);
  await t.rejects(policy.guess(challenge('locked')), { code: 'account_locked', retryAfterSeconds: 900 });
  clock.advance(900);
  t.equal((await policy.guess(challenge('later'))).accountFailures, 1);
});

/** The keys that an account is counted by. */
async function accountKeys(limits: ReturnType<typeof setUp>['limits'], clock: () => number): Promise<string[]> {
  const keys: string[] = [];
  const watched = {
    ...limits,
    read(rule: string, key: string) {
      keys.push(key);
      return limits.read(rule, key);
    },
  };
  await createPolicy(watched, settings, clock).assertUnlocked('alice');
  return keys;
}

const ASKER = { sub: 'alice', address: '192.0.2.1' };
const PHONE = '+15550100101';
const off = { sendPhone: [], sendAccount: [], sendAddress: [] };

/** How many of so many are allowed. */
async function sends(times: number, send: (index: number) => Promise<unknown>): Promise<number> {
  let allowed = 0;
  for (let index = 0; index < times; index += 1)
    await send(index).then(
      () => (allowed += 1),
      () => {},
    );
  return allowed;
}

t.test('one code to a phone per cooldown', async (t) => {
  const { policy, clock } = setUp();
  const start = clock();
  t.equal((await delivered(policy, PHONE, ASKER)).resendAtMs, start + 30_000);
  clock.advance(10.5);
  await t.rejects(delivered(policy, PHONE, ASKER), { code: 'too_many_requests', status: 429, retryAfterSeconds: 20 });
  await delivered(policy, '+15550100102', ASKER);
  clock.advance(19.5);
  await t.resolves(delivered(policy, PHONE, ASKER));
});

t.test('a send that did not come about is given back, by every limit', async (t) => {
  const { policy } = setUp();
  for (let send = 0; send < 9; send += 1) await (await policy.send(PHONE, ASKER)).giveBack();
  await t.resolves(delivered(policy, PHONE, ASKER));
});

t.test('failures have a bound of their own, because a message may come late that nobody accepted', async (t) => {
  const { policy, clock } = setUp({ ...off, sendPhone: [], sendAccount: [], resendCooldownSeconds: 0 });
  for (let send = 0; send < 10; send += 1) await (await policy.send(PHONE, ASKER)).giveBack();
  await t.rejects(policy.send(PHONE, ASKER), { code: 'too_many_requests', retryAfterSeconds: 600 });
  await t.resolves(delivered(policy, '+15550100102', ASKER), 'other numbers go on');
  clock.advance(600);
  await t.resolves(delivered(policy, PHONE, ASKER));
});

t.test('who is refused by a limit has used up nothing of the bound on failures', async (t) => {
  const { policy, clock } = setUp({ ...off, sendPhone: [{ count: 1, seconds: 60 }], resendCooldownSeconds: 0 });
  await delivered(policy, PHONE, ASKER);
  for (let send = 0; send < 20; send += 1)
    await t.rejects(policy.send(PHONE, ASKER), { code: 'too_many_requests', retryAfterSeconds: 60 });
  clock.advance(60);
  await t.resolves(delivered(policy, PHONE, ASKER));
});

t.test('no cooldown is no cooldown', async (t) => {
  const { policy, clock } = setUp({ resendCooldownSeconds: 0, ...off });
  for (let send = 0; send < 50; send += 1) t.equal((await delivered(policy, PHONE, ASKER)).resendAtMs, clock());
});

t.test(
  'five codes to a phone in ten minutes, twenty a day; the wait is told, and by the fifth code already',
  async (t) => {
    const { policy, clock } = setUp({ sendAccount: [] });
    const start = clock();
    for (let round = 0; round < 4; round += 1) {
      for (let send = 0; send < 4; send += 1) {
        await delivered(policy, PHONE, ASKER);
        clock.advance(30);
      }
      const fifth = await delivered(policy, PHONE, ASKER);
      if (round < 3) t.equal(fifth.resendAtMs, clock() - 120_000 + 600_000);
      else t.equal(fifth.resendAtMs, start + 86_400_000);
      clock.advance(60);
      if (round < 3) {
        await t.rejects(delivered(policy, PHONE, ASKER), { code: 'too_many_requests', retryAfterSeconds: 420 });
        clock.advance(420);
      }
    }
    clock.advance(3600);
    await t.rejects(delivered(policy, PHONE, ASKER), {
      retryAfterSeconds: Math.ceil((start + 86_400_000 - clock()) / 1000),
      code: 'too_many_requests',
    });
    clock.set(start / 1000 + 86_400);
    await t.resolves(delivered(policy, PHONE, ASKER));
  },
);

t.test('five codes for an account in ten minutes, whatever the phone', async (t) => {
  const { policy } = setUp({ ...off, sendAccount: settings.sendAccount });
  t.equal(
    await sends(10, (index) =>
      delivered(policy, `+1555010010${index}`, { ...ASKER, sub: index % 2 ? 'alice' : 'ALICE' }),
    ),
    5,
  );
});

t.test('thirty codes for an address in an hour, whatever the account', async (t) => {
  const { policy } = setUp({ ...off, sendAddress: settings.sendAddress });
  const from = (address: string) => (index: number) =>
    delivered(policy, `+155501${10_000 + index}`, { sub: `user ${index}`, address });
  t.equal(await sends(40, from('192.0.2.1')), 30);
  t.equal(await sends(1, from('::ffff:192.0.2.1')), 0, 'IPv4 written as IPv6 is the same');
  t.equal(await sends(40, (index) => from(`2001:db8::${index}`)(index + 100)), 30, 'an IPv6 /64 is one address');
  t.equal(await sends(1, (index) => from('2001:db8:0:1::1')(index + 200)), 1);
});

t.test('a thousand codes for an API key, thirty to a block of numbers, in an hour', async (t) => {
  const { policy } = setUp();
  const number = (index: number) => `+1555${String(index).padStart(7, '0')}`;
  t.equal(await sends(1100, (index) => delivered(policy, number(index * 1000), { apiKey: 'shop' })), 1000);
  t.equal(await sends(40, (index) => delivered(policy, number(9_000_000 + index), { apiKey: 'other' })), 30);
  t.equal(await sends(1, () => delivered(policy, number(9_001_000), { apiKey: 'other' })), 1, 'the next block goes on');
});

t.test('the budget bounds everything together', async (t) => {
  const { policy, clock } = setUp({ ...off, resendCooldownSeconds: 0, sendBudget: [{ count: 7, seconds: 3600 }] });
  t.equal(
    await sends(10, (index) => delivered(policy, `+155501${10_000 + index}`, index % 2 ? ASKER : { apiKey: 'shop' })),
    7,
  );
  clock.advance(3600);
  t.equal(await sends(1, () => delivered(policy, PHONE, ASKER)), 1);
});

t.test('wrong passwords: five for a name from one address, fifty for a name, a hundred from an address', async (t) => {
  const { policy, clock } = setUp();
  const wrong = async (times: number, name: (i: number) => string, address: (i: number) => string) =>
    sends(times, (index) => policy.password(name(index), address(index)));
  t.equal(
    await wrong(
      10,
      () => 'alice',
      () => '192.0.2.1',
    ),
    5,
  );
  await t.rejects(policy.password('alice', '192.0.2.1'), { code: 'too_many_requests', retryAfterSeconds: 900 });
  t.equal(
    await wrong(
      1,
      () => 'ALICE',
      () => '192.0.2.1',
    ),
    0,
    'spellings share a count',
  );
  t.equal(
    await wrong(
      60,
      () => 'alice',
      (index) => `198.51.100.${index}`,
    ),
    45,
    'with the five before',
  );
  t.equal(
    await wrong(
      110,
      (index) => `user ${index}`,
      () => '203.0.113.1',
    ),
    100,
  );
  t.equal(
    await wrong(
      1,
      () => 'bob',
      () => 'nonsense',
    ),
    1,
  );
  t.equal(
    await wrong(
      200,
      (index) => `user ${index}`,
      (index) => `nonsense ${index}`,
    ),
    99,
    'no address is one address',
  );
  clock.advance(3600);
  t.equal(
    await wrong(
      1,
      () => 'alice',
      () => '192.0.2.1',
    ),
    1,
  );
});

t.test('spellings that a directory may take for one name share the count of its wrong passwords', async (t) => {
  const { policy } = setUp();
  const spellings = ['bob', 'bob ', ' BOB', 'b\u200bob', 'bób', '\tbob\n', 'b\u0640ob', 'b🅾b', 'bøb', '🅱ob'];
  t.equal(await sends(70, (index) => policy.password(spellings[index % 10] ?? '', '192.0.2.1')), 5);
  t.equal(await sends(70, (index) => policy.password(spellings[index % 10] ?? '', `198.51.100.${index}`)), 45);
});

t.test('who is refused by one limit uses up no other', async (t) => {
  const { policy } = setUp();
  await sends(200, () => policy.password('alice', '192.0.2.1'));
  t.equal(
    await sends(60, (index) => policy.password('alice', `198.51.100.${index}`)),
    45,
    'five were counted, not 200',
  );
});

t.test('right passwords are not counted', async (t) => {
  const { policy } = setUp();
  for (let login = 0; login < 200; login += 1) await (await policy.password('alice', '192.0.2.1')).giveBack();
  await t.resolves(policy.password('alice', '192.0.2.1'));
});

t.test('parallel passwords do not outrun the count', async (t) => {
  const { policy } = setUp();
  const tries = await Promise.allSettled(Array.from({ length: 50 }, () => policy.password('alice', '192.0.2.1')));
  t.equal(tries.filter(({ status }) => status === 'fulfilled').length, 5);
});

t.test('unlocking lifts the lock and begins at 15 min again', async (t) => {
  const { policy, limits } = setUp();
  await guessWrong(policy, 10, 'a', 'Bob');
  t.equal(await unlockAccount(limits, 'BOB'), true);
  await policy.assertUnlocked('bob');
  t.equal(await unlockAccount(limits, 'bob'), false);
  await guessWrong(policy, 10, 'b', 'bob');
  await t.rejects(policy.assertUnlocked('bob'), { code: 'account_locked', retryAfterSeconds: 900 });
});

t.test('no name and no number stands in the store', async (t) => {
  const { limits, clock } = setUp();
  const keys: string[] = [];
  const watched = {
    ...limits,
    add(rule: string, key: string, ttl: number) {
      keys.push(key);
      return limits.add(rule, key, ttl);
    },
  };
  const policy = createPolicy(watched, settings, clock);
  await policy.password('alice', '192.0.2.1');
  await delivered(policy, PHONE, ASKER);
  await delivered(policy, PHONE, { apiKey: 'shop' }).catch(() => {});
  t.ok(keys.length > 8);
  t.notMatch(keys.join(' '), /alice|5550100/);
});

t.test('wrong passwords and sends from a /48 are limited, over all its networks', async (t) => {
  const address = (network: number) => `2001:db8:1:${network.toString(16)}::1`;
  const { policy } = setUp({
    passwordAddress: [{ count: 2, seconds: 3600 }],
    sendAddress: [{ count: 1, seconds: 3600 }],
  });
  const allowed = async (networks: readonly number[], act: (network: number) => Promise<unknown>) => {
    const results = await Promise.allSettled(networks.map(act));
    return results.filter(({ status }) => status === 'fulfilled').length;
  };
  const all = (count: number, first = 0) => Array.from({ length: count }, (_, index) => first + index);
  const guess = (network: number) => policy.password(`user ${network}`, address(network));
  t.equal(await allowed(all(256), guess), 8, 'one /56: four times the limit');
  t.equal(await allowed(all(256, 256), guess), 8, 'its neighbour has its own');
  t.equal(
    await allowed(
      Array.from({ length: 254 }, (_, index) => (index + 2) * 256),
      guess,
    ),
    16,
    'the /48: sixteen times',
  );
  t.equal(await allowed([0x10000], () => policy.password('other', '2001:db8:2::1')), 1, 'another /48');
  const send = (network: number) =>
    policy.send(`+1555010${1000 + network}`, { sub: `user ${network}`, address: address(network) });
  t.equal(await allowed(all(100), send), 4);
});

t.test('addresses behind a NAT64 do not share a limit', async (t) => {
  const { policy } = setUp({ passwordAddress: [{ count: 1, seconds: 3600 }] });
  for (let host = 0; host < 40; host += 1) await policy.password(`user ${host}`, `64:ff9b::192.0.2.${host}`);
  await t.rejects(policy.password('more', '::ffff:192.0.2.7'), {
    code: 'too_many_requests',
    limit: 'password-address',
  });
});

t.test('logins have a limit for each block of numbers, apart from that of API keys', async (t) => {
  const { policy } = setUp({ sendLoginBlock: [{ count: 3, seconds: 3600 }], sendBlock: [{ count: 3, seconds: 3600 }] });
  const login = (number: number) =>
    policy.send(`+1555010${number}`, { sub: `user ${number}`, address: `192.0.2.${number % 250}` });
  for (const number of [1001, 1002, 1003]) await login(number);
  await t.rejects(login(1004), { code: 'too_many_requests', limit: 'send-login-block' });
  await login(2001);
  await policy.send('+15550101005', { apiKey: 'shop' });
});

t.test('a company of 1,000 consecutive numbers signs in within an hour', async (t) => {
  const { policy } = setUp({
    sendLoginBlock: [
      { count: 1000, seconds: 3600 },
      { count: 2500, seconds: 86_400 },
    ],
    sendAddress: [],
  });
  for (let number = 0; number < 1000; number += 1) {
    await policy.send(`+1555010${1000 + number}`, { sub: `user ${number}`, address: '192.0.2.1' });
  }
  t.pass('none was refused');
});

t.test('whatever the clock does, no wait is longer than its window, and who waits as long gets in', async (t) => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('send', 'verification', 'password', 'wrong', 'look') }) },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constant('clock'), seconds: fc.integer({ min: -200_000, max: 200_000 }) }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('pass'), seconds: fc.integer({ min: 1, max: 60 }) }) },
  );
  const longest = { cooldown: 30, password: 900, lock: 86_400, day: 86_400 };
  const property = fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 40 }), async (steps) => {
    const { clock, policy } = setUp({
      accountFailures: 2,
      sendPhone: [],
      sendAccount: [],
      sendAddress: [],
      passwordUser: [],
      passwordAddress: [],
      passwordPair: [{ count: 2, seconds: longest.password }],
    });
    const asker = { sub: 'alice', address: '192.0.2.1' };
    let challenges = 0;
    const attempt = (what: string): Promise<unknown> => {
      if (what === 'send') return delivered(policy, '+15550100101', asker);
      if (what === 'verification') return delivered(policy, '+15550100101', { apiKey: 'shop' });
      if (what === 'password') return policy.password('alice', asker.address);
      challenges += 1;
      return guessWrong(policy, 1, `challenge ${challenges} `);
    };
    const maxOf = (limit: string | undefined) =>
      limit === 'send-cooldown' ? longest.cooldown : limit === 'password-pair' ? longest.password : longest.lock;
    for (const { what, ...rest } of steps) {
      if (what === 'clock' || what === 'pass') clock.advance((rest as { seconds: number }).seconds);
      else if (what === 'look') {
        const { resendAtMs, lockedUntilMs = 0 } = await policy.standing(challenge('look'), '+15550100101', asker);
        if (resendAtMs - clock() > longest.cooldown * 1000) throw new Error(`resend in ${resendAtMs - clock()} ms`);
        if (lockedUntilMs - clock() > longest.lock * 1000) throw new Error(`locked for ${lockedUntilMs - clock()} ms`);
      } else {
        const refusal = await attempt(what).then(
          () => null,
          (error) => error as DoorcodeError,
        );
        if (refusal === null) continue;
        if (!(refusal instanceof DoorcodeError)) throw refusal;
        const wait = refusal.retryAfterSeconds ?? 0;
        if (wait > maxOf(refusal.limit)) throw new Error(`${what} refused for ${wait} s by ${refusal.limit}`);
        clock.advance(wait);
        await attempt(what);
      }
    }
  });
  const result = await fc.check(property, { numRuns: 200, seed: 20_300_101 });
  t.equal(result.failed, false, result.failed ? (fc.defaultReportMessage(result) ?? '') : '');
});
