import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createRedisLimits, type RedisLimits } from '../../../src/limits/redis.ts';
import { silentLog } from '../../../src/log.ts';
import { limitsContract } from '../../limits/limits.contract.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { startHangingProxy } from '../../support/hanging-proxy.ts';
import { startOldRedis } from '../../support/old-redis.ts';
import { startRedis, TEST_KEYS, type TestRedis } from '../../support/redis.ts';

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
      timeoutMs: 10_000,
    });
    t.teardown(() => limits.close());
    await limits.connected(5000);
    return { limits, clock };
  });
}

/** A store, what is logged of it, and a connection that may do anything to it. */
async function watched(t: Test, { url, port }: TestRedis, timeoutMs = 5000) {
  const lines: string[] = [];
  const write = (fields: object, line: string) => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const log = { info: write, warn: write, error: write };
  const limits: RedisLimits = createRedisLimits({ masterKeys: TEST_KEYS, url, clock: fakeClock(), log, timeoutMs });
  const admin = new Redis(port);
  t.teardown(() => {
    admin.disconnect();
    return limits.close();
  });
  await limits.connected(5000);
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

t.test('a server that takes the connection and then says nothing is not waited for', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    sockets.push(near.on('error', () => {}));
    if (sockets.length === 1) return;
    const far = connect(redis.port, '127.0.0.1').on('error', () => {});
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const limits = createRedisLimits({
    masterKeys: TEST_KEYS,
    url,
    clock: fakeClock(),
    log: silentLog,
    timeoutMs: 5000,
    handshakeMs: 100,
  });
  t.teardown(async () => {
    await limits.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await limits.connected(10_000);
  t.equal(await limits.check(), null);
  t.equal(sockets.length, 2);
});

t.test('time in which this process could not have heard an answer is not held against the store', async (t) => {
  const redis = await startRedis(t, { args: ['--enable-debug-command', 'yes'] });
  if (redis === null) return;
  const { limits, admin } = await watched(t, redis, 200);
  const busy = admin.call('DEBUG', 'SLEEP', '0.1');
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  const counted = limits.add('rule', 'a', 60);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  // The answer comes while nobody listens.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  t.match(await counted, { count: 1 });
  await busy;
});

t.test('one slow answer after an idle time is no reason to give up the connection; silence is', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const proxy = await startHangingProxy(t, redis.port);
  const { limits, admin } = await watched(t, { ...redis, url: `redis://127.0.0.1:${proxy.port}` }, 100);
  const id = async () => /id=(\d+)[^\n]* name=doorcode/.exec(String(await admin.call('CLIENT', 'LIST')))?.[1];
  const first = await id();
  const { now } = performance;
  let later = 0;
  performance.now = () => now.call(performance) + later;
  t.teardown(() => {
    performance.now = now;
  });
  later = 10_000;
  proxy.hang();
  await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
  proxy.resume();
  await until(async () => (await limits.read('rule', 'a').catch(() => ({ count: 0 }))).count === 1);
  t.equal(await id(), first, 'one slow answer');
  proxy.hang();
  await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
  later += 2000;
  await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
  proxy.resume();
  await until(async () => (await limits.check()) === null);
  t.not(await id(), first, 'a second and more without any answer');
});

/** Limits in the store at this URL, and what they log. */
async function logged(t: Test, url: string) {
  const lines: string[] = [];
  const write = (fields: object, line: string) => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const log = { info: write, warn: write, error: write };
  const limits = createRedisLimits({ masterKeys: TEST_KEYS, url, clock: fakeClock(), log, timeoutMs: 5000 });
  t.teardown(() => limits.close());
  return { limits, lines };
}

t.test(
  'after a failover Redis 6 reports a replica within the error of a script, and a new connection is opened',
  async (t) => {
    const redis = await startOldRedis(t);
    const { limits, lines } = await logged(t, redis.url);
    await limits.connected(10_000);
    t.match(await limits.add('rule', 'a', 60), { count: 1 });
    t.match(await limits.add('rule', 'a', 60), { count: 2 });
    redis.failOver();
    await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
    await until(async () => (await limits.check()) === null);
    t.match(await limits.add('rule', 'a', 60), { count: 1 }, 'in the new primary');
    t.equal(redis.connections(), 2);
    t.match(lines, [/reached/, /out of reach \{"reason":"READONLY"\}/, /reached/]);
  },
);

t.test('after a failover the connection to a server that has become a replica is given up', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const { limits, admin } = await watched(t, redis);
  const id = async () => /id=(\d+)[^\n]* name=doorcode/.exec(String(await admin.call('CLIENT', 'LIST')))?.[1];
  const before = await id();
  await admin.call('REPLICAOF', '127.0.0.1', '1');
  t.equal(await limits.check(), 'refuses to count (READONLY)');
  await admin.call('REPLICAOF', 'NO', 'ONE');
  await until(async () => (await limits.check()) === null);
  t.not(await id(), before);
});

t.test(
  'a connection that the server refuses is reported by its cause, once in the log, and in readiness',
  async (t) => {
    const redis = await startRedis(t, {
      args: ['--databases', '1', '--requirepass', 'r1ght', '--user', 'door', 'on', '>r1ght', '~*', '+@all', '-select'],
    });
    if (redis === null) return;
    const six = await startOldRedis(t, { password: 'r1ght' });
    const at = (credentials: string, url = redis.url) => url.replace('://', `://${credentials}`);
    const cases: [string, string][] = [
      [at(':wr0ng@'), 'wrong user or password (WRONGPASS)'],
      [at('other:r1ght@'), 'wrong user or password (WRONGPASS)'],
      [at(''), 'the server requires a password (NOAUTH)'],
      [at(':wr0ng@', six.url), 'wrong user or password (WRONGPASS)'],
      [at('', six.url), 'the server requires a password (NOAUTH)'],
      [`${at(':r1ght@')}/1`, 'the database of REDIS_URL cannot be selected (ERR)'],
      [`${at('door:r1ght@')}/1`, 'the database of REDIS_URL cannot be selected (NOPERM)'],
    ];
    for (const [url, cause] of cases) {
      const { limits, lines } = await logged(t, url);
      await limits.connected(300);
      t.equal(await limits.check(), `refuses the connection: ${cause}`, url);
      await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
      t.strictSame(lines, [`limit store out of reach ${JSON.stringify({ reason: cause })}`], url);
      await limits.close();
    }
    for (const url of [at(':r1ght@'), at('door:r1ght@'), at(':r1ght@', six.url)]) {
      const { limits } = await logged(t, url);
      await limits.connected(10_000);
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
    await until(async () => (await limits.check()) === 'out of reach');
    await redis.start();
    await until(async () => (await limits.check()) === null);
    await admin.config('SET', 'requirepass', 's3cret');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(
      async () => (await limits.check()) === 'refuses the connection: the server requires a password (NOAUTH)',
    );
    await admin.config('SET', 'requirepass', '');
    await until(async () => (await limits.check()) === null);
    t.equal(lines.filter((line) => line.includes('NOAUTH')).length, 1);
    t.match(lines.at(-1), 'limit store reached');
  },
);

async function until(ready: () => Promise<boolean>): Promise<void> {
  while (!(await ready())) await new Promise(setImmediate);
}

t.test(
  'replicas whose clocks differ by more than a window cannot be used in turn to begin ever new ones',
  async (t) => {
    const redis = await startRedis(t);
    if (redis === null) return;
    const behind = fakeClock();
    const ahead = fakeClock();
    ahead.advance(3600);
    const options = { url: redis.url, log: silentLog, timeoutMs: 10_000 };
    const replicas = [
      createRedisLimits({ masterKeys: TEST_KEYS, ...options, clock: ahead }),
      createRedisLimits({ masterKeys: TEST_KEYS, ...options, clock: behind }),
    ];
    t.teardown(() => Promise.all(replicas.map((limits) => limits.close())));
    for (const limits of replicas) await limits.connected(5000);
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
