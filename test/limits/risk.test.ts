import t from 'tap';
import { guessBudget, isWithin, percent, type RiskSettings } from '../../src/limits/risk.ts';

const defaults: RiskSettings = {
  otpAttempts: 5,
  accountFailures: 10,
  resendCooldownSeconds: 30,
  sendPhone: [
    { count: 5, seconds: 600 },
    { count: 20, seconds: 86_400 },
  ],
  sendAccount: [{ count: 5, seconds: 600 }],
};

t.test('the defaults: 70 guesses a day, by the arithmetic of the docstring', async (t) => {
  const budget = guessBudget(defaults, 6);
  t.equal(budget.guessesPerDay, 70);
  t.ok(Math.abs(budget.perDay - (1 - 0.999_999 ** 70)) < 1e-12);
  t.ok(Math.abs(budget.perYear - (1 - 0.999_999 ** 25_550)) < 1e-9);
  t.ok(Math.abs(budget.perCode - 5e-6) < 1e-9);
  t.equal(percent(budget.perDay), '0.007 %');
  t.equal(percent(budget.perYear), '2.5 %');
  t.equal(isWithin(budget, 0.001), true);
});

t.test('each limit bounds the guesses, and the smaller bound holds', async (t) => {
  const day = (changes: Partial<RiskSettings>) => guessBudget({ ...defaults, ...changes }, 6).guessesPerDay;
  t.equal(day({ accountFailures: null }), 100, 'twenty messages, five guesses each');
  t.equal(day({ accountFailures: null, sendPhone: [] }), 144 * 5 * 5, 'five messages for the account in ten minutes');
  t.equal(day({ accountFailures: null, sendPhone: [], sendAccount: [] }), 2880 * 5, 'one each half minute');
  t.equal(
    day({ accountFailures: null, sendPhone: [], sendAccount: [], resendCooldownSeconds: 0 }),
    Number.POSITIVE_INFINITY,
  );
  t.equal(day({ accountFailures: 3 }), 21);
  t.equal(day({ otpAttempts: 1 }), 20);
});

t.test('without any bound a code is sure to be guessed', async (t) => {
  const budget = guessBudget(
    { ...defaults, accountFailures: null, sendPhone: [], sendAccount: [], resendCooldownSeconds: 0 },
    6,
  );
  t.equal(budget.perDay, 1);
  t.equal(isWithin(budget, 0.999), false);
});

t.test('many guesses at one code are too many, whatever locks come after', async (t) => {
  const budget = guessBudget({ ...defaults, otpAttempts: 100_000 }, 6);
  t.equal(budget.guessesPerDay, 70);
  t.ok(budget.perCode > 0.09);
  t.equal(isWithin(budget, 0.001), false);
});

t.test('more digits, less risk', async (t) => {
  t.ok(guessBudget(defaults, 8).perDay < guessBudget(defaults, 6).perDay / 99);
  t.equal(percent(guessBudget(defaults, 10).perDay), '7e-7 %');
});
