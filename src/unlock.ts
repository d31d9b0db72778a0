import { systemClock } from './clock.ts';
import { ConfigError, type Environment, EnvironmentReader } from './environment.ts';
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
 * @throws ConfigError without a usable REDIS_URL: counts in a process's memory cannot be reached from here
 * @throws DoorcodeError `limits_unavailable`
 */
export async function unlock(env: Environment, username: string): Promise<boolean> {
  const reader = new EnvironmentReader(env);
  const url = reader.secret('REDIS_URL');
  if (url === undefined) {
    reader.fault('REDIS_URL', 'is missing; without it locks are in the memory of the service, and end with it');
    throw new ConfigError(reader.faults);
  }
  const limits = open(url);
  try {
    await limits.connected(TIMEOUT_MS);
    return await unlockAccount(limits, username);
  } finally {
    await limits.close();
  }
}

function open(url: string): RedisLimits {
  try {
    return createRedisLimits({ url, clock: systemClock, log: silentLog, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    throw new ConfigError([`REDIS_URL: ${(error as Error).message}`]);
  }
}
