import { hash } from 'node:crypto';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createRedisLimits } from '../../../src/limits/redis.ts';
import { deriveKeys } from '../../../src/seal/keys.ts';
import { ALICE, testApp, wrongCode } from '../../support/build-app.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const A = Buffer.alloc(32, 'a');
const B = Buffer.alloc(32, 'b');
const C = Buffer.alloc(32, 'c');

const LIMITS = {
  LIMIT_SEND_PHONE: '5/600',
  LIMIT_SEND_ACCOUNT: '5/600',
  LIMIT_SEND_ADDRESS: '30/3600',
  SEND_BUDGET: '100',
};

const shared = await startRedis(t);
let database = 0;

/** A database of its own, and a connection that may do anything to it. */
function store(t: Test, { url, port }: TestRedis) {
  database += 1;
  const db = database;
  const admin = new Redis(port, { db });
  t.teardown(() => admin.disconnect());
  return { url: `${url}/${db}`, admin, clock: fakeClock() };
}

/** A replica's counters, and what it logs of the hash key. */
async function replica(t: Test, { url, clock }: { url: string; clock: FakeClock }, masterKeys: readonly Buffer[]) {
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (_: object, line: string) => void warnings.push(line), error: () => {} };
  const limits = createRedisLimits({ url, masterKeys, clock, log, timeoutMs: 60_000 });
  t.teardown(() => limits.close());
  await limits.connected(60_000);
  return { ...limits, warnings, count: async () => (await limits.add('send-phone/600', 'x', 3600)).count };
}

/** Everything that the store holds: names of keys, fields, values. */
async function contents(admin: Redis): Promise<string> {
  const keys = await admin.keys('*');
  const values = await Promise.all(keys.map((key) => admin.hgetall(key)));
  return JSON.stringify(keys.map((key, index) => [key, values[index]]));
}

const countersIn = async (admin: Redis) => (await admin.keys('*')).filter((key) => !key.includes('{key}')).sort();

if (shared !== null) {
  t.test('no person or address can be found in the store, in clear or by an unkeyed hash', async (t) => {
    const signIn = async (masterKeys: readonly Buffer[]) => {
      const at = store(t, shared);
      const { admin, clock } = at;
      const limits = await replica(t, at, masterKeys);
      const app = await testApp({ clock, ports: { limits, keys: deriveKeys(masterKeys) }, env: LIMITS });
      await app.post('/login', { username: 'Älice', password: 'wrong' });
      const { jar, code } = await app.login();
      await app.post('/otp', { otp: wrongCode(code) }, jar);
      t.equal((await app.post('/otp', { otp: code }, jar)).statusCode, 200);
      t.equal((await app.post('/logout', {}, jar)).statusCode, 200);
      const second = await app.login();
      await app.post('/otp', { otp: wrongCode(second.code) }, second.jar);
      return { text: await contents(admin), counters: await countersIn(admin) };
    };
    const { text, counters } = await signIn([A]);
    const phone = ALICE.phone;
    const known = [phone, phone.slice(1), phone.slice(0, -3), 'alice', 'älice', 'Älice', '127.0.0.1', 'all'];
    for (const value of known.filter((value) => value !== 'all')) t.notMatch(text, value);
    // Also of what the limits may have hashed before: a hash of a hash is as easy to find.
    const hashes = known.flatMap((value) =>
      (['hex', 'base64', 'base64url'] as const).map((form) => hash('sha256', value, form)),
    );
    const twice = hashes.flatMap((value) =>
      (['hex', 'base64', 'base64url'] as const).map((form) => hash('sha256', value, form)),
    );
    for (const value of [...hashes, ...twice]) t.notOk(text.includes(value));

    const rules = (names: readonly string[]) => names.map((name) => name.split(':')[1] ?? '');
    t.match(
      rules(counters).join(' '),
      /closed.*failures.*guesses.*password-user.*revoked.*send-account.*send-address.*send-budget.*send-phone/,
    );
    const other = await signIn([B]);
    const random = /^doorcode:(?:closed|guesses|revoked|calls|probe):/;
    const guessable = counters.filter((name) => !random.test(name));
    t.ok(guessable.length > 5);
    t.strictSame(
      guessable.filter((name) => other.counters.includes(name)),
      [],
      'other keys make other hashes',
    );
  });

  t.test('what must not happen twice is stored by its random id, as earlier versions did', async (t) => {
    const at = store(t, shared);
    const limits = await replica(t, at, [A]);
    for (const rule of ['closed', 'revoked', 'calls']) await limits.claim(rule, 'id', 60);
    for (const rule of ['closed', 'revoked', 'calls']) t.equal(await at.admin.exists(`doorcode:${rule}:id`), 1);
  });

  t.test(
    'counts outlive the rotation of SESSION_KEYS, while replicas with old and new keys run together',
    async (t) => {
      const at = store(t, shared);
      const old = await replica(t, at, [A]);
      t.equal(await old.count(), 1);
      const both = await replica(t, at, [B, A]);
      t.equal(await both.count(), 2);
      t.equal(await old.count(), 3);
      t.equal(await (await replica(t, at, [A])).count(), 4, 'an old one that starts again');
      const fresh = await replica(t, at, [B]);
      t.equal(await fresh.count(), 5);
      t.equal(await both.count(), 6);
      for (const { warnings } of [old, both, fresh]) t.strictSame(warnings, []);
    },
  );

  t.test('the entry of a retired key expires, those in use are renewed', async (t) => {
    const at = store(t, shared);
    await replica(t, at, [A, B]);
    const entries = (await at.admin.keys('doorcode:{key}:*')).sort();
    t.equal(entries.length, 3);
    for (const entry of entries) {
      t.ok((await at.admin.pttl(entry)) > 29 * 86_400_000);
      await at.admin.pexpire(entry, 1_000_000);
    }
    at.clock.advance(86_400);
    await replica(t, at, [B]);
    const lives = await Promise.all(entries.map((entry) => at.admin.pttl(entry)));
    t.equal(lives.filter((life) => life > 29 * 86_400_000).length, 2);
    t.equal(lives.filter((life) => life <= 1_000_000).length, 1);
  });

  t.test('replicas that start at the same time on an empty store agree', async (t) => {
    const at = store(t, shared);
    const all = await Promise.all(Array.from({ length: 5 }, () => replica(t, at, [A])));
    const counts = await Promise.all(all.map((limits) => limits.count()));
    t.strictSame(counts.sort(), [1, 2, 3, 4, 5]);
    for (const { warnings } of all) t.strictSame(warnings, []);
  });

  t.test('without a usable key a new one is made, and the log says that counts start anew', async (t) => {
    const at = store(t, shared);
    const old = await replica(t, at, [A]);
    t.equal(await old.count(), 1);
    const replaced = await replica(t, at, [C]);
    t.equal(await replaced.count(), 1);
    t.match(replaced.warnings, [/^limit counts start anew: none of SESSION_KEYS opens the hash key/]);
    // Each goes on by itself, and one that has both keys makes them agree.
    t.equal(await old.count(), 2);
    t.equal(await replaced.count(), 2);
    await replica(t, at, [C, A]);
    at.clock.advance(1);
    const all = [old, replaced, await replica(t, at, [A, C])];
    for (const limits of all) await limits.count();
    await at.admin.ping();
    const counts: number[] = [];
    for (const limits of all) counts.push(await limits.count());
    t.strictSame(new Set(counts.map((count, index) => count - index)).size, 1, `${counts}`);
  });

  t.test('an entry that was damaged is replaced', async (t) => {
    const at = store(t, shared);
    t.equal(await (await replica(t, at, [A])).count(), 1);
    for (const entry of await at.admin.keys('doorcode:{key}:*')) await at.admin.hset(entry, 'k', 'damaged');
    const limits = await replica(t, at, [A]);
    t.equal(await limits.count(), 1);
    t.equal(limits.warnings.length, 1);
    t.equal(await (await replica(t, at, [A])).count(), 2);
  });

  t.test('a store that is emptied while connections stand: replicas agree again within a second', async (t) => {
    const at = store(t, shared);
    const [one, two] = [await replica(t, at, [A]), await replica(t, at, [A])] as const;
    await at.admin.flushdb();
    t.equal(await one.count(), 1);
    t.equal(await two.count(), 2);
    at.clock.advance(1);
    await one.count();
    t.equal(await (await replica(t, at, [A])).count(), 4, 'the first to count has put the key back');

    await at.admin.flushdb();
    const young = await replica(t, at, [A]);
    t.equal(await young.count(), 1);
    at.clock.advance(1);
    await Promise.all([one.count(), two.count()]);
    // A reply to a command that was sent later: the key has arrived before.
    await Promise.all([one.check(), two.check()]);
    t.equal(await one.count(), 2);
    t.equal(await two.count(), 3);
    t.equal(await young.count(), 4);
    t.match(one.warnings, [/another hash key/]);
  });
}

t.test('a Redis that restarts empty gets the key back from the replicas', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const at = { url: redis.url, clock: fakeClock() };
  const [one, two] = [await replica(t, at, [A]), await replica(t, at, [A])] as const;
  t.equal(await one.count(), 1);
  await redis.kill();
  await t.rejects(one.count(), { code: 'limits_unavailable' });
  await redis.start();
  const counted = async ({ count: add }: typeof one): Promise<number> => {
    let count: number | null = null;
    await until('the store counts', async () => {
      count = await add().catch(() => null);
      return count !== null;
    });
    return Number(count);
  };
  t.equal(await counted(one), 1);
  t.equal(await counted(two), 2);
  t.equal(await (await replica(t, at, [A])).count(), 3);
});
