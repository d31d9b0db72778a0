import { availableParallelism } from 'node:os';
import { verify as argon2Verify, hash } from '@node-rs/argon2';
import { createBoundedQueue, type QueueDepth } from './bounded-queue.ts';
import { decoyHash } from './decoy.ts';
import { ownParameters } from './password-hash.ts';

/** `Algorithm.Argon2id`: a const enum, which a file that is compiled by itself cannot read. */
const argon2id = 2;

/**
 * @returns the argon2id hash as a PHC string with a random salt, made off the event loop
 * @throws Error for an empty password, which would let in anyone who types none
 */
export async function hashPassword(password: string): Promise<string> {
  if (password === '') throw new Error('The password is empty');
  return await hash(password, {
    algorithm: argon2id,
    memoryCost: ownParameters.memoryKib,
    timeCost: ownParameters.passes,
    parallelism: ownParameters.lanes,
  });
}

/** Who would have to wait longer is better told to come back. */
const MAX_WAIT_MS = 400;

export interface PasswordChecker {
  /**
   * @param hash an argon2id PHC string, or null for a user who does not exist
   * @returns whether the password belongs to the hash; for null false, after as much work as a hash of ours takes
   * @throws DoorcodeError `overloaded`, and nothing else
   */
  verify(hash: string | null, password: string): Promise<boolean>;
  /** How many checks run, and how many wait. */
  depth?(): QueueDepth;
}

export interface PasswordCheckerOptions {
  /** Checks at the same time, at least 1; each takes a processor and the hash's memory (19 MiB). */
  readonly concurrency?: number;
  /** Checks that may wait for one of those places. */
  readonly queueLength?: number;
  /** For tests: what compares. */
  readonly verify?: (hash: string, password: string) => Promise<boolean>;
  /** For tests: milliseconds, from any start. */
  readonly now?: () => number;
}

/**
 * Argon2 runs on libuv's pool, which has four threads unless UV_THREADPOOL_SIZE says otherwise. One has to be left to
 * name lookups and files, or a flood of logins stops the sending of codes; one processor is left to the event loop.
 */
function defaultConcurrency(): number {
  return Math.max(1, Math.min(availableParallelism() - 1, 3));
}

/** Checks passwords off the event loop, a few at a time. Keeps no password longer than its check takes. */
export function createPasswordChecker(options: PasswordCheckerOptions = {}): PasswordChecker {
  const { concurrency = defaultConcurrency(), queueLength = 64 } = options;
  const compare = options.verify ?? ((hash: string, password: string) => argon2Verify(hash, password));
  const enqueue = createBoundedQueue({
    concurrency,
    queueLength,
    maxWaitMs: MAX_WAIT_MS,
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  const decoy = decoyHash();

  async function check(hash: string | null, password: string): Promise<boolean> {
    try {
      const matches = await compare(hash ?? decoy, password);
      return matches && hash !== null;
    } catch {
      // A hash that argon2 cannot read fails at once, so the work is done here for the time to stay the same.
      await compare(decoy, password).catch(() => false);
      return false;
    }
  }

  return { verify: (hash, password) => enqueue(() => check(hash, password)), depth: enqueue.depth };
}
