import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { createRedisLimits, type RedisLimitsOptions } from '../../src/limits/redis.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startHangingProxy } from '../support/hanging-proxy.ts';
import { startOldRedis } from '../support/old-redis.ts';
import { TEST_KEYS } from '../support/redis.ts';
import { until } from '../support/until.ts';

// The contract of limits, and what a real Redis replies: test/system/limits/redis.test.ts.

/** Longer than any test. */
const NEVER_MS = 600_000;

/** Limits in the store at this URL, and what they log. */
function open(t: Test, url: string, options: Partial<RedisLimitsOptions> = {}) {
  const lines: string[] = [];
  const write = (fields: object, line: string) => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const log = { info: write, warn: write, error: write };
  const limits = createRedisLimits({
    masterKeys: TEST_KEYS,
    url,
    clock: fakeClock(),
    log,
    timeoutMs: NEVER_MS,
    ...options,
  });
  t.teardown(() => limits.close());
  return { limits, lines, counts: () => until('the store counts', async () => (await limits.check()) === null) };
}

t.test('a server that takes the connection and then says nothing is not waited for', async (t) => {
  const redis = await startOldRedis(t);
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    sockets.push(near.on('error', () => {}).resume());
    if (sockets.length === 1) return;
    const far = connect(Number(new URL(redis.url).port), '127.0.0.1').on('error', () => {});
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { counts } = open(t, `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, { handshakeMs: 100 });
  await counts();
  t.ok(sockets.length > 1, `${sockets.length} connections`);
});

t.test('time in which this process could not have heard an answer is not held against the store', async (t) => {
  let blockMs = 0;
  const redis = await startOldRedis(t, {
    // The answer is there, but this process does not read it until its timers have run.
    onReply: () => void (blockMs > 0 && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs)),
  });
  const { limits, counts } = open(t, redis.url, { timeoutMs: 80, handshakeMs: NEVER_MS });
  await counts();
  await limits.claim('rule', 'a', 60);
  blockMs = 120;
  const counted = limits.add('rule', 'b', 60);
  t.match(await counted, { count: 1 });
  blockMs = 0;
});

t.test('one slow answer after an idle time is no reason to give up the connection; silence is', async (t) => {
  const redis = await startOldRedis(t);
  const proxy = await startHangingProxy(t, Number(new URL(redis.url).port));
  const { limits, counts } = open(t, `redis://127.0.0.1:${proxy.port}`, { timeoutMs: 100, handshakeMs: NEVER_MS });
  await counts();
  const first = redis.connections();
  const { now } = performance;
  let fakeNow = now.call(performance);
  performance.now = () => fakeNow;
  t.teardown(() => {
    performance.now = now;
  });
  fakeNow += 10_000;
  proxy.hang();
  await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
  proxy.resume();
  await counts();
  t.equal(redis.connections(), first, 'one slow answer');
  proxy.hang();
  await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
  fakeNow += 2000;
  await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
  proxy.resume();
  await counts();
  t.ok(redis.connections() > first, 'a second and more without any answer');
});

t.test(
  'after a failover Redis 6 reports a replica within the error of a script, and a new connection is opened',
  async (t) => {
    const redis = await startOldRedis(t);
    const { limits, lines, counts } = open(t, redis.url);
    await counts();
    t.match(await limits.add('rule', 'a', 60), { count: 1 });
    t.match(await limits.add('rule', 'a', 60), { count: 2 });
    const before = redis.connections();
    lines.length = 0;
    redis.failOver();
    await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
    await counts();
    t.match(await limits.add('rule', 'a', 60), { count: 1 }, 'in the new primary');
    t.ok(redis.connections() > before);
    t.match(lines, [/out of reach \{"reason":"READONLY"\}/, /reached/]);
  },
);

t.test('a connection that Redis 6 refuses is reported by its cause, once in the log, and in readiness', async (t) => {
  const redis = await startOldRedis(t, { password: 'r1ght' });
  const at = (credentials: string) => redis.url.replace('://', `://${credentials}`);
  for (const [url, cause] of [
    [at(':wr0ng@'), 'wrong user or password (WRONGPASS)'],
    [at(''), 'the server requires a password (NOAUTH)'],
  ] as const) {
    const before = redis.connections();
    const { limits, lines } = open(t, url);
    await until('several connections were refused', () => redis.connections() >= before + 3);
    t.equal(await limits.check(), `refuses the connection: ${cause}`, url);
    await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
    t.strictSame(lines, [`limit store out of reach ${JSON.stringify({ reason: cause })}`], url);
    await limits.close();
  }
  await open(t, at(':r1ght@')).counts();
});
