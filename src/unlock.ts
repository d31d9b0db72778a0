import { systemClock } from './clock.ts';
import { readMasterKeys } from './config.ts';
import { ConfigError, type Environment, EnvironmentReader } from './environment.ts';
import { HashKeyUnreadable } from './limits/hash-key.ts';
import { unlockAccount } from './limits/policy.ts';
import { createRedisLimits, type RedisLimits } from './limits/redis.ts';
import { silentLog } from './log.ts';

/** A person at a terminal can wait longer than one who signs in. */
const TIMEOUT_MS = 3000;

/**
 * Lifts an account's lock in the shared store.
 *
 * @param username in any spelling that signs in
 * @returns whether it was locked
 * @throws ConfigError without a usable REDIS_URL, because counts in a process's memory cannot be reached from here, and
 *   without the SESSION_KEYS of the service, under which the store keeps the key of the account's hash
 * @throws DoorcodeError `limits_unavailable`
 */
export async function unlock(env: Environment, username: string): Promise<boolean> {
  const reader = new EnvironmentReader(env);
  const url = reader.secret('REDIS_URL');
  if (url === undefined) {
    reader.fault('REDIS_URL', 'is missing; without it locks are in the memory of the service, and end with it');
  }
  const { masterKeys, keysGiven } = readMasterKeys(reader, false);
  if (!keysGiven) reader.fault('SESSION_KEYS', 'is missing; the names of locks are hashed with a key that it encrypts');
  if (url === undefined || reader.faults.length > 0) throw new ConfigError(reader.faults);
  const limits = open(url, masterKeys);
  try {
    await limits.connected(TIMEOUT_MS);
    return await unlockAccount(limits, username);
  } catch (error) {
    if (!((error as Error).cause instanceof HashKeyUnreadable)) throw error;
    throw new ConfigError(['SESSION_KEYS: holds none of the keys of the service that counts in REDIS_URL']);
  } finally {
    await limits.close();
  }
}

function open(url: string, masterKeys: readonly Buffer[]): RedisLimits {
  const options = { url, masterKeys, clock: systemClock, log: silentLog, timeoutMs: TIMEOUT_MS };
  try {
    return createRedisLimits({ ...options, createHashKey: false });
  } catch (error) {
    throw new ConfigError([`REDIS_URL: ${(error as Error).message}`]);
  }
}
