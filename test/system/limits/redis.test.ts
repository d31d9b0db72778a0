import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createRedisLimits, type RedisLimits } from '../../../src/limits/redis.ts';
import { silentLog } from '../../../src/log.ts';
import { limitsContract } from '../../limits/limits.contract.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { startHangingProxy } from '../../support/hanging-proxy.ts';
import { startRedis, TEST_KEYS, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const redis = await startRedis(t);
if (redis !== null) {
  let database = 0;
  limitsContract(t, 'redis', async (t) => {
    const clock = fakeClock();
    database += 1;
    const limits = createRedisLimits({
      masterKeys: TEST_KEYS,
      url: `${redis.url}/${database}`,
      clock,
      log: silentLog,
      timeoutMs: 60_000,
    });
    t.teardown(() => limits.close());
    await limits.connected(60_000);
    return { limits, clock };
  });
}

/** A store, what is logged of it, and a connection that may do anything to it. */
async function watched(t: Test, { url, port }: TestRedis, timeoutMs = 60_000) {
  const lines: string[] = [];
  const write = (fields: object, line: string) => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const log = { info: write, warn: write, error: write };
  const limits: RedisLimits = createRedisLimits({ masterKeys: TEST_KEYS, url, clock: fakeClock(), log, timeoutMs });
  const admin = new Redis(port);
  t.teardown(() => {
    admin.disconnect();
    return limits.close();
  });
  await limits.connected(60_000);
  t.equal(await limits.check(), null);
  return { limits, admin, lines };
}

t.test('a store that is out of memory is not ready, though it can be read', async (t) => {
  const redis = await startRedis(t, { args: ['--maxmemory-policy', 'noeviction'] });
  if (redis === null) return;
  const { limits, admin, lines } = await watched(t, redis);
  await admin.config('SET', 'maxmemory', '1');
  t.equal(await limits.check(), 'refuses to count (OOM)');
  for (let guess = 0; guess < 3; guess += 1) {
    await limits.read('rule', 'a');
    await limits.forget('rule', 'a');
    await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
  }
  await admin.config('SET', 'maxmemory', '0');
  t.equal(await limits.check(), null);
  t.strictSame(lines, [
    'limit store reached {}',
    'limit store out of reach {"reason":"OOM"}',
    'limit store reached {}',
  ]);
});

t.test('nor is one whose user may not run scripts', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const { limits, admin, lines } = await watched(t, redis);
  await admin.call('ACL', 'SETUSER', 'default', '-eval', '-evalsha');
  t.equal(await limits.check(), 'refuses to count (NOPERM)');
  t.equal(lines.at(-1), 'limit store out of reach {"reason":"NOPERM"}');
});

t.test('a user with the rights that the README lists, and no others, can do everything', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const sentence = /A user, if it has one, that may run ([\s\S]*?) on\s/.exec(readme)?.[1] ?? '';
  const commands = [...sentence.matchAll(/`([A-Z]+)`/g)].map(([, command = '']) => `+${command.toLowerCase()}`);
  t.ok(commands.length > 5);
  const admin = new Redis(redis.port);
  t.teardown(() => admin.disconnect());
  await admin.call('ACL', 'SETUSER', 'doorcode', 'on', '>s3cret', '~doorcode:*', ...commands);
  const { limits, lines } = await watched(t, { ...redis, url: `redis://doorcode:s3cret@127.0.0.1:${redis.port}` });
  t.equal((await limits.add('rule', 'a', 60)).count, 1);
  t.equal((await limits.read('rule', 'a')).count, 1);
  await limits.giveBack('rule', 'a');
  await limits.forget('rule', 'a');
  t.equal(await limits.claim('rule', 'a', 60), true);
  t.strictSame(lines, ['limit store reached {}']);
});

t.test('the try leaves nothing behind for long', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const { admin } = await watched(t, redis);
  const keys = await admin.keys('*');
  t.strictSame(
    keys.filter((key) => !key.startsWith('doorcode:{key}:')),
    ['doorcode:probe:probe'],
  );
  t.ok((await admin.pttl('doorcode:probe:probe')) <= 61_000);
});

t.test('a store that is gone is told so', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const { limits } = await watched(t, redis);
  await redis.kill();
  t.equal(await limits.check(), 'out of reach');
});

/** Limits in the store at this URL, and what they log. */
function logged(t: Test, url: string) {
  const lines: string[] = [];
  const write = (fields: object, line: string) => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const log = { info: write, warn: write, error: write };
  const limits = createRedisLimits({ masterKeys: TEST_KEYS, url, clock: fakeClock(), log, timeoutMs: 60_000 });
  t.teardown(() => limits.close());
  return { limits, lines };
}

t.test('after a failover the connection to a server that has become a replica is given up', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const { limits, admin } = await watched(t, redis);
  const id = async () => /id=(\d+)[^\n]* name=doorcode/.exec(String(await admin.call('CLIENT', 'LIST')))?.[1];
  const before = await id();
  await admin.call('REPLICAOF', '127.0.0.1', '1');
  t.equal(await limits.check(), 'refuses to count (READONLY)');
  await admin.call('REPLICAOF', 'NO', 'ONE');
  await until('the store counts', async () => (await limits.check()) === null);
  t.not(await id(), before);
});

t.test(
  'a connection that the server refuses is reported by its cause, once in the log, and in readiness',
  async (t) => {
    const redis = await startRedis(t, {
      args: ['--databases', '1', '--requirepass', 'r1ght', '--user', 'door', 'on', '>r1ght', '~*', '+@all', '-select'],
    });
    if (redis === null) return;
    const proxy = await startHangingProxy(t, redis.port);
    const at = (credentials: string, database = '') => `redis://${credentials}@127.0.0.1:${proxy.port}${database}`;
    const cases: [string, string][] = [
      [at(':wr0ng'), 'wrong user or password (WRONGPASS)'],
      [at('other:r1ght'), 'wrong user or password (WRONGPASS)'],
      [`redis://127.0.0.1:${proxy.port}`, 'the server requires a password (NOAUTH)'],
      [at(':r1ght', '/1'), 'the database of REDIS_URL cannot be selected (ERR)'],
      [at('door:r1ght', '/1'), 'the database of REDIS_URL cannot be selected (NOPERM)'],
    ];
    for (const [url, cause] of cases) {
      const before = proxy.connections();
      const { limits, lines } = logged(t, url);
      await until('several connections were refused', () => proxy.connections() >= before + 3);
      t.equal(await limits.check(), `refuses the connection: ${cause}`, url);
      await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
      t.strictSame(lines, [`limit store out of reach ${JSON.stringify({ reason: cause })}`], url);
      await limits.close();
    }
    for (const url of [at(':r1ght'), at('door:r1ght')]) {
      const { limits } = logged(t, url);
      await limits.connected(60_000);
      t.equal(await limits.check(), null, url);
    }
  },
);

t.test(
  'a password that is removed while the service waits is the end of the outage; a new cause is logged',
  async (t) => {
    const redis = await startRedis(t);
    if (redis === null) return;
    const { limits, admin, lines } = await watched(t, redis);
    await redis.kill();
    await until('the store is away', async () => (await limits.check()) === 'out of reach');
    await redis.start();
    await until('the store counts', async () => (await limits.check()) === null);
    await admin.config('SET', 'requirepass', 's3cret');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(
      'a password is required',
      async () => (await limits.check()) === 'refuses the connection: the server requires a password (NOAUTH)',
    );
    await admin.config('SET', 'requirepass', '');
    await until('the store counts', async () => (await limits.check()) === null);
    t.equal(lines.filter((line) => line.includes('NOAUTH')).length, 1);
    t.match(lines.at(-1), 'limit store reached');
  },
);

t.test(
  'replicas whose clocks differ by more than a window cannot be used in turn to begin ever new ones',
  async (t) => {
    const redis = await startRedis(t);
    if (redis === null) return;
    const behind = fakeClock();
    const ahead = fakeClock();
    ahead.advance(3600);
    const options = { url: redis.url, log: silentLog, timeoutMs: 60_000 };
    const replicas = [
      createRedisLimits({ masterKeys: TEST_KEYS, ...options, clock: ahead }),
      createRedisLimits({ masterKeys: TEST_KEYS, ...options, clock: behind }),
    ];
    t.teardown(() => Promise.all(replicas.map((limits) => limits.close())));
    for (const limits of replicas) await limits.connected(60_000);
    const counts: number[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      for (const limits of replicas) {
        const { count, resetAtMs } = await limits.add('rule', 'a', 30);
        counts.push(count);
        t.ok(resetAtMs <= (limits === replicas[0] ? ahead : behind)() + 30_000);
      }
    }
    t.strictSame(
      counts,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  },
);
