import { Redis } from 'ioredis';
import t from 'tap';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { createPolicy } from '../../src/limits/policy.ts';
import { createRedisLimits } from '../../src/limits/redis.ts';
import { silentLog } from '../../src/log.ts';
import { unlock } from '../../src/unlock.ts';
import { startRedis, TEST_KEYS } from '../support/redis.ts';

const SESSION_KEYS = TEST_KEYS.map((key) => key.toString('base64')).join(',');
const OTHER_KEYS = Buffer.alloc(32, 2).toString('base64');

t.test('an account is unlocked in the shared store, by any spelling of its name', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const limits = createRedisLimits({
    masterKeys: TEST_KEYS,
    url: redis.url,
    clock: systemClock,
    log: silentLog,
    timeoutMs: 10_000,
  });
  t.teardown(() => limits.close());
  await limits.connected(5000);
  const policy = createPolicy(limits, { ...readConfig({}).limits, challengeTtlSeconds: 670 }, systemClock);
  for (let guess = 0; guess < 10; guess += 1) {
    const challenge = { id: `challenge ${guess}`, sub: 'Bob' };
    await policy.wrong(challenge, await policy.guess(challenge));
  }
  await t.rejects(policy.assertUnlocked('bob'), { code: 'account_locked' });
  const rejected = { name: 'ConfigError', message: /^(?=[\s\S]*SESSION_KEYS: )(?![\s\S]*REDIS_URL: )/ };
  const before = await contents(redis.url);
  for (const wrong of [{}, { SESSION_KEYS: OTHER_KEYS }, { SESSION_KEYS: 'short' }]) {
    await t.rejects(unlock({ REDIS_URL: redis.url, ...wrong }, 'bob'), rejected, JSON.stringify(wrong));
  }
  t.strictSame(await contents(redis.url), before, 'a command with the wrong keys changes nothing');
  await t.rejects(policy.assertUnlocked('bob'), { code: 'account_locked' });
  t.equal(await unlock({ REDIS_URL: redis.url, SESSION_KEYS: `${OTHER_KEYS},${SESSION_KEYS}` }, 'BOB'), true);
  await t.resolves(policy.assertUnlocked('bob'));
  t.equal(await unlock({ REDIS_URL: redis.url, SESSION_KEYS }, 'bob'), false);
});

t.test('in a store that has not been used no account is locked, and the command makes no key', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  t.equal(await unlock({ REDIS_URL: redis.url, SESSION_KEYS }, 'bob'), false);
  t.strictSame(await contents(redis.url), ['doorcode:probe:probe']);
});

/** The names of everything in the store. */
async function contents(url: string): Promise<string[]> {
  const admin = new Redis(url);
  const keys = await admin.keys('*');
  admin.disconnect();
  return keys.sort();
}
