import { hash } from 'node:crypto';
import { addressKeys } from '../address.ts';
import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { countedUsername, foldUsername } from '../username.ts';
import { type Allowance, nextAllowed, type Taken, take } from './allowance.ts';
import type { Count, Limits } from './limits.ts';
import type { Window } from './window.ts';

/** How much of everything is allowed; no window is no limit. */
export interface LimitSettings {
  /** Guesses per challenge. */
  readonly otpAttempts: number;
  /** Wrong codes in a row per account, over all its challenges, before it is locked; `null` is no limit. */
  readonly accountFailures: number | null;
  /** Between two codes to one phone; 0 is no cooldown. */
  readonly resendCooldownSeconds: number;
  /** How long a challenge may come back from a client at the most. */
  readonly challengeTtlSeconds: number;
  /** Wrong passwords for a username from one address, for a username, from an address. */
  readonly passwordPair: readonly Window[];
  readonly passwordUser: readonly Window[];
  readonly passwordAddress: readonly Window[];
  /** Sends to a phone, for an account, for an address, for an API key, to a block of numbers (with API keys, and for logins), and in all. */
  readonly sendPhone: readonly Window[];
  readonly sendAccount: readonly Window[];
  readonly sendAddress: readonly Window[];
  readonly sendKey: readonly Window[];
  readonly sendBlock: readonly Window[];
  readonly sendLoginBlock: readonly Window[];
  readonly sendBudget: readonly Window[];
}

/** A password that has been counted as wrong and may now be looked at. */
export interface PasswordTry {
  /** Uncounts it: it was right, or could not be looked at. */
  giveBack(): Promise<void>;
}

/** A guess that has been counted and may now be compared. */
export interface Guess {
  readonly attemptsLeft: number;
  /** Its place among the account's wrong codes in a row, should it be wrong. */
  readonly accountFailures: number;
}

/** A send that has been counted. */
export interface SendPermit {
  /** When the next one is allowed, milliseconds since the Unix epoch. */
  readonly resendAtMs: number;
  /** Says that a provider accepted the message. */
  delivered(): Promise<void>;
  /** Refunds the send, when it is known that no provider accepted the message. */
  giveBack(): Promise<void>;
}

/** Who asks for a send: a person who signs in, or a server with an API key. */
export type Asker = { readonly sub: string; readonly address: string } | { readonly apiKey: string };

/** What a guess and a success are counted by. */
export interface Countable {
  readonly id: string;
  readonly sub: string;
}

/** How a challenge stands, for a page that tells of it. Times are milliseconds since the Unix epoch. */
export interface Standing {
  readonly attemptsLeft: number;
  /** Whether it has signed someone in, or was replaced. */
  readonly closed: boolean;
  /** Until when its account is locked; undefined when it is not. */
  readonly lockedUntilMs: number | undefined;
  /** When the next code may be asked for; in the past when it may be already. */
  readonly resendAtMs: number;
}

/** Every limit of the service, and nothing else: all of them stand in this file. */
export interface Policy {
  /**
   * Counts a password as wrong before it is looked at, so that parallel tries cannot outrun the count.
   *
   * @param username as typed
   * @param address of the client
   * @throws DoorcodeError `too_many_requests`
   */
  password(username: string, address: string): Promise<PasswordTry>;
  /**
   * Counts a guess before it is compared, so that parallel guesses cannot outrun the count.
   *
   * @param onLock is told for how many seconds, when this guess locks the account: for a full row that nobody judged
   * @throws DoorcodeError `otp_used`, `otp_attempts_exhausted` or `account_locked`: it must not be compared
   */
  guess(challenge: Countable, onLock?: (seconds: number) => void): Promise<Guess>;
  /**
   * Records that the counted guess was wrong; the last of too many in a row locks the account.
   *
   * @returns for how many seconds, 0 when it is not locked by this one
   */
  wrong(challenge: Countable, guess: Guess): Promise<number>;
  /**
   * Records that the counted guess was right.
   *
   * @throws DoorcodeError `otp_used` for all but the first
   */
  succeed(challenge: Countable): Promise<void>;
  /** @throws DoorcodeError `otp_used` when the challenge has signed someone in or was replaced */
  assertOpen(challenge: Countable): Promise<void>;
  /** Closes a challenge for good; the first to do so gets true. */
  close(challenge: Countable): Promise<boolean>;
  /** @throws DoorcodeError `account_locked` */
  assertUnlocked(sub: string): Promise<void>;
  /**
   * Looks at a challenge without counting anything.
   *
   * @param phone that its codes go to
   * @param asker who would ask for the next one
   * @throws DoorcodeError `limits_unavailable`
   */
  standing(challenge: Countable, phone: string, asker: Asker): Promise<Standing>;
  /**
   * The words of a call are given out once; the first to ask gets true.
   *
   * @param untilSeconds Unix seconds at which the code's life ends
   */
  claimCall(id: string, untilSeconds: number): Promise<boolean>;
  /** @throws DoorcodeError `too_many_requests` */
  send(phone: string, asker: Asker): Promise<SendPermit>;
}

const LOCK_FIRST_SECONDS = 15 * 60;
const LOCK_LONGEST_SECONDS = 86_400;
// Wrong codes in a row are forgotten when none has come for a day, and how often an account was locked a day after
// its longest lock, so that slow guessing does not begin at the shortest lock again.
const FAILURES_TTL_SECONDS = 86_400;
const LOCKS_TTL_SECONDS = LOCK_LONGEST_SECONDS + 86_400;
const ACCOUNT_LIMIT = 'account-failures';
/** A guess that was counted longer ago than this is no longer being compared. */
const COMPARING_MS = 5000;

/** Whether anybody can start counters of this rule, with any name from any address; others take a right password. */
export function isOpenToAnybody(rule: string): boolean {
  return rule.startsWith('password-');
}

// A send that was refused is refunded, but each one costs a provider's time: failures have a limit of their own, twice as
// wide as the limit of successes by default.
const UNDELIVERED: readonly Window[] = [{ count: 10, seconds: 600 }];

/**
 * How many counters of a rule are worth keeping in a process's memory. Those that anybody can start get less room: 25 MB
 * for all of them together.
 */
export function roomFor(rule: string): number {
  return isOpenToAnybody(rule) ? 50_000 : 1_000_000;
}

/**
 * Whether a counter of this rule is never reset before its time, so that more events than it shows cannot be right and
 * fewer can only mean that some were not seen.
 */
export function isFinal(rule: string): boolean {
  return ['guesses', 'closed', 'revoked', 'calls'].includes(rule);
}

/** How long the n-th lock in a row lasts: 15 min, doubling to a day. */
export function lockSeconds(nth: number): number {
  return Math.min(LOCK_FIRST_SECONDS * 2 ** (nth - 1), LOCK_LONGEST_SECONDS);
}

/**
 * @param countedNumber maps a phone number to the one that it is counted as, because several spellings reach one phone;
 *   both E.164
 */
export function createPolicy(
  limits: Limits,
  settings: LimitSettings,
  clock: Clock,
  countedNumber: (phone: string) => Promise<string> = async (phone) => phone,
): Policy {
  const { otpAttempts, challengeTtlSeconds } = settings;
  const maxFailures = settings.accountFailures ?? Number.MAX_SAFE_INTEGER;
  const cooldown = settings.resendCooldownSeconds;

  const locked = ({ resetAtMs }: Count) =>
    new DoorcodeError('account_locked', { retryAfterSeconds: (resetAtMs - clock()) / 1000, limit: ACCOUNT_LIMIT });

  /** The limits that a guess meets, most telling first; null when it may be compared. */
  function refusal(guesses: Count, closed: Count, lock: Count, failures: Count) {
    if (closed.count > 0) return new DoorcodeError('otp_used');
    if (lock.count > 0) return locked(lock);
    if (guesses.count > otpAttempts)
      return new DoorcodeError('otp_attempts_exhausted', { attemptsLeft: 0, limit: 'otp-attempts' });
    // As many guesses as the account has left are being compared at this moment.
    if (failures.count > maxFailures)
      return new DoorcodeError('account_locked', { retryAfterSeconds: 1, limit: ACCOUNT_LIMIT });
    return null;
  }

  /**
   * Whether a full row was left behind: all its guesses were counted and are over, but the lock that should have come
   * of them did not, because the store or a process went away in between, or because the limit has been lowered.
   */
  function isLeftBehind(lock: Count, failures: Count): boolean {
    const lastCountedMs = failures.resetAtMs - FAILURES_TTL_SECONDS * 1000;
    return lock.count === 0 && failures.count > maxFailures && clock() - lastCountedMs >= COMPARING_MS;
  }

  async function uncountFailure(account: string, lock: Count, failures: Count): Promise<void> {
    if (failures.count <= maxFailures) return limits.giveBack('failures', account);
    // A full row was not counted up. Beside a lock it has led to its lock already.
    if (lock.count > 0) await limits.forget('failures', account);
  }

  /**
   * Ends a row of wrong codes with a lock. Of several that come together one makes it.
   *
   * @returns for how many seconds, 0 for the others
   */
  async function lockAccount(account: string): Promise<number> {
    const seconds = lockSeconds((await limits.read('locks', account)).count + 1);
    // The lock stands before the row goes, so that at no moment neither holds.
    if (!(await limits.claim('lock', account, seconds))) return 0;
    await Promise.all([
      limits.add('locks', account, LOCKS_TTL_SECONDS, { sliding: true }),
      limits.forget('failures', account),
    ]);
    return seconds;
  }

  /** The limits that a send meets. @param phone as it is counted */
  const sendsOf = (phone: string, asker: Asker): Allowance[] => [
    {
      rule: 'send-cooldown',
      key: keyOf(phone),
      windows: cooldown === 0 ? [] : [{ count: 1, seconds: cooldown }],
    },
    { rule: 'send-phone', key: keyOf(phone), windows: settings.sendPhone },
    ...('apiKey' in asker
      ? [
          { rule: 'send-key', key: keyOf(asker.apiKey), windows: settings.sendKey },
          { rule: 'send-block', key: keyOf(blockOf(phone)), windows: settings.sendBlock },
        ]
      : [
          { rule: 'send-account', key: accountOf(asker.sub), windows: settings.sendAccount },
          { rule: 'send-login-block', key: keyOf(blockOf(phone)), windows: settings.sendLoginBlock },
          ...addressAllowances('send-address', asker.address, settings.sendAddress),
        ]),
    { rule: 'send-budget', key: 'all', windows: settings.sendBudget },
  ];

  const policy: Policy = {
    async password(username, address) {
      const user = keyOf(countedUsername(username));
      const from = addressOf(address);
      return take(
        limits,
        [
          ...addressAllowances('password-address', address, settings.passwordAddress),
          { rule: 'password-pair', key: keyOf(`${user} ${from}`), windows: settings.passwordPair },
          { rule: 'password-user', key: user, windows: settings.passwordUser },
        ],
        clock(),
      );
    },

    async guess({ id, sub }, onLock) {
      const account = accountOf(sub);
      const [guesses, closed, lock, failures] = await Promise.all([
        limits.add('guesses', id, challengeTtlSeconds),
        limits.read('closed', id),
        limits.read('lock', account),
        limits.add('failures', account, FAILURES_TTL_SECONDS, { sliding: true, max: maxFailures }),
      ]);
      const refused = refusal(guesses, closed, lock, failures);
      if (refused === null) return { attemptsLeft: otpAttempts - guesses.count, accountFailures: failures.count };
      // What is not compared costs the account nothing, and costs the challenge nothing while the account is locked.
      await Promise.all([
        uncountFailure(account, lock, failures),
        refused.code === 'account_locked' ? limits.giveBack('guesses', id, guesses) : null,
      ]);
      if (isLeftBehind(lock, failures)) {
        const seconds = await lockAccount(account);
        if (seconds > 0) onLock?.(seconds);
        await policy.assertUnlocked(sub);
      }
      throw refused;
    },

    async wrong({ sub }, guess) {
      return guess.accountFailures >= maxFailures ? lockAccount(accountOf(sub)) : 0;
    },

    async succeed(challenge) {
      const account = accountOf(challenge.sub);
      const [first] = await Promise.all([
        policy.close(challenge),
        limits.forget('failures', account),
        limits.forget('locks', account),
      ]);
      if (!first) throw new DoorcodeError('otp_used');
    },

    async assertOpen({ id }) {
      if ((await limits.read('closed', id)).count > 0) throw new DoorcodeError('otp_used');
    },

    close: ({ id }) => limits.claim('closed', id, challengeTtlSeconds),

    async assertUnlocked(sub) {
      const lock = await limits.read('lock', accountOf(sub));
      if (lock.count > 0) throw locked(lock);
    },

    async standing({ id, sub }, phone, asker) {
      const counted = await countedNumber(phone);
      const [guesses, closed, lock, resendAtMs] = await Promise.all([
        limits.read('guesses', id),
        limits.read('closed', id),
        limits.read('lock', accountOf(sub)),
        nextAllowed(limits, sendsOf(counted, asker), clock()),
      ]);
      return {
        attemptsLeft: Math.max(0, otpAttempts - guesses.count),
        closed: closed.count > 0,
        lockedUntilMs: lock.count > 0 ? lock.resetAtMs : undefined,
        resendAtMs,
      };
    },

    claimCall: (id, untilSeconds) => limits.claim('calls', id, Math.max(1, Math.ceil(untilSeconds - clock() / 1000))),

    async send(phone, asker) {
      const counted = await countedNumber(phone);
      const now = clock();
      const number = keyOf(counted);
      const undelivered = take(limits, [{ rule: 'send-undelivered', key: number, windows: UNDELIVERED }], now);
      const sending = take(limits, sendsOf(counted, asker), now);
      const [failing, taken] = await bothOrNone(undelivered, sending);
      return {
        resendAtMs: Math.max(now, taken.nextAtMs),
        giveBack: taken.giveBack,
        // The message is on its way: that a store went away meanwhile is no reason to tell the user otherwise.
        delivered: () => failing.giveBack().catch(() => {}),
      };
    },
  };
  return policy;
}

/**
 * Lifts the lock of an account and forgets what led to it.
 *
 * @returns whether it was locked
 */
export async function unlockAccount(limits: Limits, sub: string): Promise<boolean> {
  const account = accountOf(sub);
  const lock = await limits.read('lock', account);
  await Promise.all(['lock', 'locks', 'failures'].map((rule) => limits.forget(rule, account)));
  return lock.count > 0;
}

/** @throws what either throws, when nothing is counted by the other any more */
async function bothOrNone(first: Promise<Taken>, second: Promise<Taken>): Promise<[Taken, Taken]> {
  const [one, other] = await Promise.allSettled([first, second]);
  if (one.status === 'fulfilled' && other.status === 'fulfilled') return [one.value, other.value];
  for (const half of [one, other]) {
    if (half.status === 'fulfilled') await half.value.giveBack().catch(() => {});
  }
  throw (one.status === 'rejected' ? one : (other as PromiseRejectedResult)).reason;
}

/** Keys are digests: of one length whatever a client sends, and no names or numbers stand in the store. */
function keyOf(text: string): string {
  return hash('sha256', text, 'base64url');
}

function accountOf(sub: string): string {
  return keyOf(foldUsername(sub));
}

/** Text that is no address, which no real connection has, shares one count. */
function addressOf(address: string): string {
  return addressKeys(address)[0]?.key ?? 'unknown';
}

/** A limit by address: an IPv6 address also counts for its wider networks, each of which may have more events. */
function addressAllowances(rule: string, address: string, windows: readonly Window[]): Allowance[] {
  const [narrowest = { key: 'unknown', factor: 1 }, ...wider] = addressKeys(address);
  return [narrowest, ...wider].map(({ key, factor }) => ({
    rule,
    key,
    windows: windows.map(({ count, seconds }) => ({ count: count * factor, seconds })),
  }));
}

/** Neighbouring numbers, as they are sold: all but the last three digits. */
function blockOf(phone: string): string {
  return phone.slice(0, -3);
}
