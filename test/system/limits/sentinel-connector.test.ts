import t from 'tap';
import { createRedisLimits } from '../../../src/limits/redis.ts';
import { silentLog } from '../../../src/log.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { startHangingProxy } from '../../support/hanging-proxy.ts';
import { freePort, startRedis, startSentinel, TEST_KEYS } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

t.test('sentinels with and without a password, which know where the primary is', async (t) => {
  const redis = await startRedis(t, {
    args: ['--user', 'door', 'on', '>s3cret', '~*', '+@all', '--requirepass', 's3cret'],
  });
  if (redis === null) return;
  const open = await startSentinel(t, redis);
  const same = await startSentinel(t, redis, ['requirepass s3cret']);
  const other = await startSentinel(t, redis, ['user watch on >0ther ~* &* +@all', 'user default off']);
  const users = await startSentinel(t, redis, ['user door on >s3cret ~* &* +@all', 'user default off']);

  const at = (credentials: string, ...ports: number[]) =>
    `redis+sentinel://${credentials}@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/main`;
  const reached = [
    at(':s3cret', open),
    at('door:s3cret', open),
    at(':s3cret', same),
    at('door:s3cret', same),
    at('door:s3cret', users),
    at('door:s3cret', await freePort(), same),
    `${at(':s3cret', other)}?sentinel_username=watch&sentinel_password=0ther`,
    `${at('door:s3cret', same)}?sentinel_password=s3cret`,
  ];
  for (const url of reached) {
    const lines: object[] = [];
    const log = { ...silentLog, error: (fields: object) => void lines.push(fields) };
    const limits = createRedisLimits({ masterKeys: TEST_KEYS, url, clock: fakeClock(), log, timeoutMs: 60_000 });
    t.teardown(() => limits.close());
    await limits.connected(60_000);
    t.equal(await limits.check(), null, url);
    t.strictSame(lines, [], 'nothing failed on the way');
  }

  const refused: Record<string, string> = {
    [at(':s3cret', other)]: 'sentinel: wrong user or password (WRONGPASS)',
    [`${at(':s3cret', same)}?sentinel_password=wr0ng`]: 'sentinel: wrong user or password (WRONGPASS)',
    [at(':s3cret', same).replace(/main$/, 'absent')]: 'no sentinel knows the primary that REDIS_URL names',
    [at(':s3cret', await freePort())]: 'no sentinel can be reached',
  };
  for (const [url, cause] of Object.entries(refused)) {
    const limits = createRedisLimits({
      masterKeys: TEST_KEYS,
      url,
      clock: fakeClock(),
      log: silentLog,
      timeoutMs: 60_000,
    });
    t.teardown(() => limits.close());
    await until('a sentinel has answered, or cannot', async () => (await limits.check()) !== 'out of reach');
    t.equal(await limits.check(), `refuses the connection: ${cause}`, url);
    await limits.close();
  }
});

t.test('behind a sentinel the log names the true cause of an outage once', async (t) => {
  const redis = await startRedis(t, { args: ['--requirepass', 's3cret'] });
  if (redis === null) return;
  const proxies = [
    await startHangingProxy(t, await startSentinel(t, redis)),
    await startHangingProxy(t, await startSentinel(t, redis)),
  ];
  for (const sentinels of [proxies.slice(0, 1), proxies]) {
    const at = (password: string, database = '') =>
      `redis+sentinel://:${password}@${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/main${database}`;
    const open = (url: string) => {
      const reasons: unknown[] = [];
      const log = { ...silentLog, error: ({ reason }: { reason?: unknown }) => void reasons.push(reason) };
      const limits = createRedisLimits({ masterKeys: TEST_KEYS, url, clock: fakeClock(), log, timeoutMs: 60_000 });
      t.teardown(() => limits.close());
      return { limits, reasons };
    };
    const lookups = () => sentinels.reduce((sum, { connections }) => sum + connections(), 0);
    // More than there are sentinels, so that their list comes to its end several times.
    const afterManyLookups = async ({ reasons }: ReturnType<typeof open>) => {
      const enough = lookups() + 2 * sentinels.length + 2;
      await until('sentinels were asked many times', () => lookups() >= enough && reasons.length > 0);
      return reasons;
    };
    const failing = async (url: string) => {
      const opened = open(url);
      const reasons = await afterManyLookups(opened);
      // Its further lookups must not count for the next one.
      await opened.limits.close();
      return reasons;
    };
    t.strictSame(await failing(at('wr0ng')), ['wrong user or password (WRONGPASS)']);
    t.strictSame(await failing(at('s3cret', '/99')), ['the database of REDIS_URL cannot be selected (ERR)']);

    const working = open(at('s3cret'));
    await working.limits.connected(60_000);
    t.equal(await working.limits.check(), null);
    await redis.kill();
    t.strictSame(await afterManyLookups(working), ['ECONNREFUSED']);
    t.strictSame(await failing(at('s3cret')), ['ECONNREFUSED']);
    await redis.start();
    await working.limits.connected(60_000);
    t.equal(await working.limits.check(), null, 'the primary is there again');
  }
});
