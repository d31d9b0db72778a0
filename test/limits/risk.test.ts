import t from 'tap';
import { readConfig } from '../../src/config.ts';
import type { DoorcodeError } from '../../src/errors.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { createPolicy, type LimitSettings } from '../../src/limits/policy.ts';
import { guessBudget, isWithin, percent, type RiskSettings } from '../../src/limits/risk.ts';
import { fakeClock } from '../support/fake-clock.ts';

const defaults: RiskSettings = {
  otpAttempts: 5,
  resendCooldownSeconds: 30,
  sendPhone: [
    { count: 5, seconds: 600 },
    { count: 20, seconds: 86_400 },
  ],
  sendAccount: [{ count: 5, seconds: 600 }],
};

t.test('the defaults: 195 guesses in a day, by the arithmetic of the docstring', async (t) => {
  const budget = guessBudget(defaults, 6);
  t.equal(budget.guessesPerDay, 195);
  t.ok(Math.abs(budget.perDay - (1 - 0.999_999 ** 195)) < 1e-12);
  t.ok(Math.abs(budget.perYear - (1 - 0.999_999 ** 36_595)) < 1e-9);
  t.ok(Math.abs(budget.perCode - 5e-6) < 1e-9);
  t.equal(percent(budget.perDay), '0.019 %');
  t.equal(percent(budget.perYear), '3.6 %');
  t.equal(isWithin(budget, 0.001), true);
});

t.test('each send limit bounds the guesses, and the smallest bound holds', async (t) => {
  const day = (changes: Partial<RiskSettings>) => guessBudget({ ...defaults, ...changes }, 6).guessesPerDay;
  t.equal(day({ sendPhone: [] }), (145 * 5 - 1) * 5, 'five messages for the account in ten minutes');
  t.equal(day({ sendPhone: [], sendAccount: [] }), 2880 * 5, 'one each half minute');
  t.equal(day({ sendPhone: [], sendAccount: [], resendCooldownSeconds: 0 }), Number.POSITIVE_INFINITY);
  t.equal(day({ otpAttempts: 1 }), 39);
});

t.test('without a limit for a day the risk of the default guesses is too high', async (t) => {
  const budget = guessBudget({ ...defaults, sendPhone: [{ count: 5, seconds: 600 }] }, 6);
  t.equal(budget.guessesPerDay, 3620);
  t.equal(isWithin(budget, 0.001), false);
});

t.test('without any bound a code is sure to be guessed', async (t) => {
  const budget = guessBudget({ ...defaults, sendPhone: [], sendAccount: [], resendCooldownSeconds: 0 }, 6);
  t.equal(budget.perDay, 1);
  t.equal(isWithin(budget, 0.999), false);
});

t.test('many guesses at one code are too many, however few codes there are', async (t) => {
  const budget = guessBudget({ ...defaults, otpAttempts: 100_000, sendPhone: [{ count: 1, seconds: 86_400 }] }, 6);
  t.ok(budget.perCode > 0.09);
  t.equal(isWithin(budget, 0.001), false);
});

t.test('more digits, less risk', async (t) => {
  t.ok(guessBudget(defaults, 8).perDay < guessBudget(defaults, 6).perDay / 99);
  t.equal(percent(guessBudget(defaults, 10).perDay), '0.0000019 %');
});

const DAY = 86_400;
/** How often a thief tries: the cooldown between two codes. */
const STEP_SECONDS = 30;

interface Simulated {
  readonly settings: Partial<LimitSettings>;
  readonly days: number;
  /** Whether the owner signs in as well, as often as the limits allow once the thief has used up a row. */
  readonly owner: boolean;
  /** From when on the thief asks for codes with all speed, seconds; before that, for one. */
  readonly from: number;
}

/** @returns the most guesses that a thief of the password got at codes sent within 24 hours, by the real policy */
async function mostGuesses({ settings, days, owner, from }: Simulated): Promise<number> {
  const clock = fakeClock();
  const limits: LimitSettings = { ...readConfig({}).limits, challengeTtlSeconds: 670, ...settings };
  const policy = createPolicy(createMemoryLimits({ clock }), limits, clock);
  const start = clock();
  const guesses: { sentAt: number; count: number }[] = [];
  let codes = 0;
  const send = async () => {
    const sub = 'victim';
    await policy.assertUnlocked(sub);
    await policy.send('+15550100101', { sub, address: `192.0.2.${codes % 250}` });
    codes += 1;
    return { id: `code ${codes}`, sub };
  };
  for (; clock() < start + days * DAY * 1000; clock.advance(STEP_SECONDS)) {
    const now = (clock() - start) / 1000;
    if (now > 0 && now < from) continue;
    const challenge = await send().catch((error: DoorcodeError) => {
      // Until then each try would be refused in the same way.
      const waits = Math.ceil((error.retryAfterSeconds ?? 0) / STEP_SECONDS) - 1;
      if (waits > 0) clock.advance(waits * STEP_SECONDS);
      return null;
    });
    if (challenge === null) continue;
    const sentAt = now;
    let count = 0;
    // One guess short of a lock is as far as a thief goes who knows that the owner comes.
    for (let guess = await policy.guess(challenge).catch(() => null); guess !== null; ) {
      await policy.wrong(challenge, guess);
      count += 1;
      const isLast = owner && guess.accountFailures >= (limits.accountFailures ?? Number.POSITIVE_INFINITY) - 1;
      guess = isLast ? null : await policy.guess(challenge).catch(() => null);
    }
    guesses.push({ sentAt, count });
    if (owner && count < limits.otpAttempts) {
      clock.advance(30);
      const own = await send().catch(() => null);
      if (own !== null)
        await policy.guess(own).then(
          () => policy.succeed(own),
          () => {},
        );
    }
  }
  const within = (first: number) => guesses.filter(({ sentAt }) => sentAt >= first && sentAt < first + DAY);
  return Math.max(...guesses.map(({ sentAt }) => within(sentAt).reduce((sum, { count }) => sum + count, 0)));
}

t.test('a thief never gets more guesses than the budget says, whatever the owner does', async (t) => {
  const roomy = { sendPhone: [{ count: 5, seconds: 600 }] };
  for (const [name, simulated] of Object.entries<Simulated>({
    'at once': { settings: {}, days: 3, owner: false, from: 0 },
    'at once, with the owner': { settings: {}, days: 3, owner: true, from: 0 },
    'around midnight': { settings: {}, days: 2, owner: false, from: DAY - 3600 },
    'around midnight, with the owner': { settings: {}, days: 2, owner: true, from: DAY - 3600 },
    'without a limit for a day, with the owner': { settings: roomy, days: 2, owner: true, from: 0 },
    'without locks': { settings: { accountFailures: null }, days: 2, owner: false, from: DAY - 3600 },
    'without locks or a limit for a day': {
      settings: { ...roomy, accountFailures: null },
      days: 2,
      owner: false,
      from: 0,
    },
  })) {
    const most = await mostGuesses(simulated);
    const budget = guessBudget({ ...defaults, ...simulated.settings }, 6).guessesPerDay;
    t.comment(`${name}: ${most} of ${budget}`);
    t.ok(most <= budget, `${name}: ${most} of ${budget}`);
    if (name === 'without locks') t.equal(most, budget, 'and the bound is reached');
  }
});
