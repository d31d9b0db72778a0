import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { foldUsername } from '../username.ts';
import type { Limits } from './limits.ts';

/** How much of everything is allowed. */
export interface LimitSettings {
  /** Guesses per challenge. */
  readonly otpAttempts: number;
  /** Wrong codes in a row per account, over all its challenges, before it is locked; `null` is no limit. */
  readonly accountFailures: number | null;
  /** Between two codes to one phone; 0 is no cooldown. */
  readonly resendCooldownSeconds: number;
  /** How long a challenge may come back from a client at the most. */
  readonly challengeTtlSeconds: number;
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
  /** Uncounts it, when no provider accepted the message. */
  giveBack(): Promise<void>;
}

/** What a guess and a success are counted by. */
export interface Countable {
  readonly id: string;
  readonly sub: string;
}

/** Every limit of the service, and nothing else: all of them stand in this file. */
export interface Policy {
  /**
   * Counts a guess before it is compared, so that parallel guesses cannot outrun the count.
   *
   * @throws DoorcodeError `otp_used`, `otp_attempts_exhausted` or `account_locked`: it must not be compared
   */
  guess(challenge: Countable): Promise<Guess>;
  /** Records that the counted guess was wrong; the last of too many in a row locks the account. */
  wrong(challenge: Countable, guess: Guess): Promise<void>;
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
  /** @throws DoorcodeError `too_many_requests` within the cooldown of this number */
  send(phone: string): Promise<SendPermit>;
}

const LOCK_FIRST_SECONDS = 15 * 60;
const LOCK_LONGEST_SECONDS = 86_400;
// Wrong codes in a row are forgotten when none has come for a day, and how often an account was locked a day after
// its longest lock, so that slow guessing does not begin at the shortest lock again.
const FAILURES_TTL_SECONDS = 86_400;
const LOCKS_TTL_SECONDS = LOCK_LONGEST_SECONDS + 86_400;

export function createPolicy(limits: Limits, settings: LimitSettings, clock: Clock): Policy {
  const { otpAttempts, accountFailures, resendCooldownSeconds, challengeTtlSeconds } = settings;

  const retryAfter = (resetAtMs: number) => ({ retryAfterSeconds: (resetAtMs - clock()) / 1000 });

  const policy: Policy = {
    async guess({ id, sub }) {
      const account = foldUsername(sub);
      const [guesses, closed, lock, failures] = await Promise.all([
        limits.add('guesses', id, challengeTtlSeconds),
        limits.read('closed', id),
        limits.read('lock', account),
        limits.add('failures', account, FAILURES_TTL_SECONDS, true),
      ]);
      const tooMany = accountFailures !== null && failures.count > accountFailures;
      const refusal =
        closed.count > 0
          ? new DoorcodeError('otp_used')
          : lock.count > 0
            ? new DoorcodeError('account_locked', retryAfter(lock.resetAtMs))
            : guesses.count > otpAttempts
              ? new DoorcodeError('otp_attempts_exhausted', { attemptsLeft: 0 })
              : tooMany
                ? // As many guesses as the account has left are being compared at this moment.
                  new DoorcodeError('account_locked', { retryAfterSeconds: 1 })
                : null;
      if (refusal !== null) {
        // What is not compared costs the account nothing, and costs the challenge nothing while the account is locked.
        const uncount = [limits.giveBack('failures', account)];
        if (refusal.code === 'account_locked') uncount.push(limits.giveBack('guesses', id));
        await Promise.all(uncount);
        throw refusal;
      }
      return { attemptsLeft: otpAttempts - guesses.count, accountFailures: failures.count };
    },

    async wrong({ sub }, guess) {
      if (accountFailures === null || guess.accountFailures < accountFailures) return;
      const account = foldUsername(sub);
      const locks = await limits.add('locks', account, LOCKS_TTL_SECONDS, true);
      const seconds = Math.min(LOCK_FIRST_SECONDS * 2 ** (locks.count - 1), LOCK_LONGEST_SECONDS);
      await limits.claim('lock', account, seconds);
      await limits.forget('failures', account);
    },

    async succeed(challenge) {
      const account = foldUsername(challenge.sub);
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
      const lock = await limits.read('lock', foldUsername(sub));
      if (lock.count > 0) throw new DoorcodeError('account_locked', retryAfter(lock.resetAtMs));
    },

    async send(phone) {
      if (resendCooldownSeconds === 0) return { resendAtMs: clock(), giveBack: async () => {} };
      const sends = await limits.add('cooldown', phone, resendCooldownSeconds);
      if (sends.count > 1) throw new DoorcodeError('too_many_requests', retryAfter(sends.resetAtMs));
      return { resendAtMs: sends.resetAtMs, giveBack: () => limits.forget('cooldown', phone) };
    },
  };
  return policy;
}
