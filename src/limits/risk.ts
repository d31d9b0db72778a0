import type { LimitSettings } from './policy.ts';

/** What a thief of a user's password can do about the code, by the configured limits. */
export interface GuessBudget {
  /** Guesses at the codes that one account can be sent in any 24 hours: the most, on the worst of days. */
  readonly guessesPerDay: number;
  /** Chance that one of them is right. */
  readonly perDay: number;
  /** The same, kept up for a year. */
  readonly perYear: number;
  /** Chance of guessing one single code before its challenge is closed. */
  readonly perCode: number;
}

export type RiskSettings = Pick<LimitSettings, 'otpAttempts' | 'resendCooldownSeconds' | 'sendPhone' | 'sendAccount'>;

const DAY_SECONDS = 86_400;
const YEAR_DAYS = 365;

/**
 * The chance of guessing a code, with the defaults in brackets. It is a bound: nobody can do better, whatever else
 * happens to the account meanwhile.
 *
 * A guess is right with p = 10^-digits [10^-6], and each code bears `otpAttempts` guesses [5], so what counts is how
 * many codes can be sent. A window of n codes in s seconds begins with its first code. In t seconds begin ⌈t / s⌉
 * windows at the most, and one that began before may have n - 1 left: n × ⌈t / s⌉ + n - 1. The smallest of these bounds
 * holds, over the windows of phone and account and the cooldown [20 a day and 19 of the day before: 39 codes, 195
 * guesses in any 24 hours; 7,319 codes, 36,595 guesses in a year].
 *
 * A day 1 - (1 - p)^guesses [0.019 %], a year likewise [3.6 %]. Account locks are no part of it. They slow a thief down
 * [10 guesses, a lock of 15 min, 10 more, 30 min, …], but whenever the owner signs in the row of wrong codes and the
 * locks begin anew.
 *
 * @param digits length of a code
 */
export function guessBudget(settings: RiskSettings, digits: number): GuessBudget {
  const p = 10 ** -digits;
  const guessesIn = (seconds: number) => codesIn(seconds, settings) * settings.otpAttempts;
  const guessesPerDay = guessesIn(DAY_SECONDS);
  return {
    guessesPerDay,
    perDay: chance(p, guessesPerDay),
    perYear: chance(p, guessesIn(YEAR_DAYS * DAY_SECONDS)),
    perCode: chance(p, settings.otpAttempts),
  };
}

/** Whether the budget is within bounds: a day of guessing, and guessing at one code, each. */
export function isWithin(budget: GuessBudget, maxRisk: number): boolean {
  return budget.perDay <= maxRisk && budget.perCode <= maxRisk;
}

/** A chance as people read it, two figures that matter: `0.007 %`. */
export function percent(chance: number): string {
  return `${Number((chance * 100).toPrecision(2))} %`;
}

/** 1 - (1 - p)^n, without losing small p to rounding. */
function chance(p: number, n: number): number {
  return n === Number.POSITIVE_INFINITY ? 1 : -Math.expm1(n * Math.log1p(-p));
}

/** How many codes one account can be sent in any so many seconds. */
function codesIn(seconds: number, { sendPhone, sendAccount, resendCooldownSeconds: cooldown }: RiskSettings): number {
  const windows = [...sendPhone, ...sendAccount, ...(cooldown === 0 ? [] : [{ count: 1, seconds: cooldown }])];
  return Math.min(
    Number.POSITIVE_INFINITY,
    ...windows.map((window) => window.count * (Math.ceil(seconds / window.seconds) + 1) - 1),
  );
}
