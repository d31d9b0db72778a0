import t, { type Test } from 'tap';
import type { Clock } from '../../../src/clock.ts';
import { createRedisLimits } from '../../../src/limits/redis.ts';
import { silentLog } from '../../../src/log.ts';
import { holdsChallenges, holdsLocks } from '../../limits/limits.model.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { startRedis, TEST_KEYS } from '../../support/redis.ts';

const redis = await startRedis(t);

async function connect(t: Test, url: string, clock: Clock) {
  const limits = createRedisLimits({ masterKeys: TEST_KEYS, url, clock, log: silentLog, timeoutMs: 60_000 });
  t.teardown(() => limits.close());
  await limits.connected(60_000);
  return limits;
}

if (redis !== null) {
  t.test('redis: five comparisons and one success a challenge, over two replicas', async (t) => {
    const clock = fakeClock();
    const url = `${redis.url}/1`;
    await holdsChallenges(t, [await connect(t, url, clock), await connect(t, url, clock)], clock, { numRuns: 20 });
  });

  t.test('redis: no row of guesses is longer than the limit, and no account stays shut without a lock', async (t) => {
    const clock = fakeClock();
    await holdsLocks(t, await connect(t, `${redis.url}/2`, clock), clock, { numRuns: 60 });
  });
}
