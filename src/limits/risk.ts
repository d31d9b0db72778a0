import { type LimitSettings, lockSeconds } from './policy.ts';

/** What a thief of a user's password can do about the code, by the configured limits. */
export interface GuessBudget {
  /** Guesses against one account in a day. */
  readonly guessesPerDay: number;
  /** Chance that one of them is right. */
  readonly perDay: number;
  /** The same, kept up for a year. */
  readonly perYear: number;
  /** Chance of guessing one single code before its challenge is closed. */
  readonly perCode: number;
}

export type RiskSettings = Pick<
  LimitSettings,
  'otpAttempts' | 'accountFailures' | 'resendCooldownSeconds' | 'sendPhone' | 'sendAccount'
>;

const DAY_SECONDS = 86_400;

/**
 * The chance of guessing a code, with the defaults in brackets.
 *
 * A guess is right with p = 10^-digits [10^-6]. Guesses in a day are bounded twice, and the smaller bound holds:
 *
 * - by sends: each code needs a message, and bears `otpAttempts` guesses. Messages in a day are the smallest of
 *   count × ⌈86400 / seconds⌉ over the windows of phone and account, and of the cooldown [20]. [20 × 5 = 100]
 * - by locks: `accountFailures` guesses, a lock of 15 min, as many again, 30 min, and so on; counted are the rounds that
 *   begin within a day [at 0, 15, 45, 105, 225, 465 and 945 min: 7 × 10 = 70]. This takes the worst day, the first:
 *   later on locks last a day each.
 *
 * n = min of both [70]; a day 1 - (1 - p)^n [0.007 %]; a year 1 - (1 - p)^(365 n) [2.5 %], which is far too high, since
 * from the second day on there are 10 guesses a day, and the owner of the phone gets every message.
 *
 * @param digits length of a code
 */
export function guessBudget(settings: RiskSettings, digits: number): GuessBudget {
  const p = 10 ** -digits;
  const guessesPerDay = Math.min(messagesPerDay(settings) * settings.otpAttempts, guessesBeforeLocks(settings));
  return {
    guessesPerDay,
    perDay: chance(p, guessesPerDay),
    perYear: chance(p, 365 * guessesPerDay),
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

function messagesPerDay({ sendPhone, sendAccount, resendCooldownSeconds: cooldown }: RiskSettings): number {
  const windows = [...sendPhone, ...sendAccount, ...(cooldown === 0 ? [] : [{ count: 1, seconds: cooldown }])];
  return Math.min(
    Number.POSITIVE_INFINITY,
    ...windows.map(({ count, seconds }) => count * Math.ceil(DAY_SECONDS / seconds)),
  );
}

function guessesBeforeLocks({ accountFailures }: RiskSettings): number {
  if (accountFailures === null) return Number.POSITIVE_INFINITY;
  let rounds = 0;
  for (let start = 0; start < DAY_SECONDS; start += lockSeconds(rounds)) rounds += 1;
  return rounds * accountFailures;
}
