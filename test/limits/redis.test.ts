import t from 'tap';
import { createRedisLimits } from '../../src/limits/redis.ts';
import { silentLog } from '../../src/log.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startRedis } from '../support/redis.ts';
import { limitsContract } from './limits.contract.ts';

const redis = await startRedis(t);
if (redis !== null) {
  let database = 0;
  limitsContract(t, 'redis', async (t) => {
    const clock = fakeClock();
    database += 1;
    const limits = createRedisLimits({ url: `${redis.url}/${database}`, clock, log: silentLog, timeoutMs: 10_000 });
    t.teardown(() => limits.close());
    await limits.connected(5000);
    return { limits, clock };
  });
}
