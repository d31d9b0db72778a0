import t from 'tap';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { roomFor } from '../../src/limits/policy.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { limitsContract } from './limits.contract.ts';

limitsContract(t, 'memory', async () => {
  const clock = fakeClock();
  return { limits: createMemoryLimits({ clock }), clock };
});

t.test('when a rule is full, the new is refused and the old is kept', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => 3 });
  for (const key of ['victim', 'b', 'c']) await limits.add('rule', key, 60);
  await limits.add('rule', 'victim', 60);
  for (let flood = 0; flood < 20; flood += 1) {
    await t.rejects(limits.add('rule', `flood ${flood}`, 60), { code: 'limits_unavailable', retryAfterSeconds: 5 });
    await t.rejects(limits.claim('rule', `flood ${flood}`, 60), { code: 'limits_unavailable' });
  }
  t.equal((await limits.read('rule', 'victim')).count, 2);
  t.equal((await limits.add('rule', 'victim', 60)).count, 3, 'what runs goes on counting');
  t.equal((await limits.add('other', 'a', 60)).count, 1, 'other rules have room of their own');
});

t.test('room comes back as counters end, also behind one that lasts longer', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => 3 });
  await limits.add('rule', 'long', 3600);
  await limits.add('rule', 'short', 10);
  await limits.add('rule', 'shorter', 5);
  clock.advance(5);
  t.equal((await limits.add('rule', 'new', 60)).count, 1);
  await t.rejects(limits.add('rule', 'too many', 60), { code: 'limits_unavailable' });
  clock.advance(5);
  t.equal((await limits.add('rule', 'newer', 60)).count, 1);
  t.equal((await limits.read('rule', 'long')).count, 1);
});

t.test('a full rule is looked through once a second at the most', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => 2 });
  await limits.add('rule', 'long', 3600);
  await limits.add('rule', 'short', 1.5);
  clock.advance(1);
  await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' });
  clock.advance(0.6);
  await t.rejects(limits.add('rule', 'a', 60), { code: 'limits_unavailable' }, 'looked through 0.6 s ago');
  clock.advance(0.4);
  t.equal((await limits.add('rule', 'a', 60)).count, 1);
});

t.test('a key that ended can start again in a full rule', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => 1 });
  await limits.add('rule', 'a', 1);
  clock.advance(1);
  t.equal((await limits.add('rule', 'a', 1)).count, 1);
  await limits.close();
  t.equal((await limits.read('rule', 'a')).count, 0);
});

t.test('what was given back entirely leaves nothing behind', async (t) => {
  const limits = createMemoryLimits({ clock: fakeClock(), maxKeys: () => 1 });
  for (const key of ['a', 'b', 'c']) {
    await limits.add('rule', key, 60);
    await limits.giveBack('rule', key);
  }
  t.equal((await limits.add('rule', 'd', 60)).count, 1);
});

t.test('counters that anybody can start get less room than those that take a right password', async (t) => {
  t.strictSame(
    ['password-address/3600', 'password-pair/900', 'password-user/3600', 'guesses', 'send-phone/600'].map(roomFor),
    [50_000, 50_000, 50_000, 1_000_000, 1_000_000],
  );
});

t.test('a full rule without buckets refuses what would be one counter more', async (t) => {
  const limits = createMemoryLimits({ clock: fakeClock(), maxKeys: () => 3, overflows: () => false });
  for (const key of ['a', 'b', 'c']) await limits.add('password-user/60', key, 60);
  await t.rejects(limits.add('password-user/60', 'd', 60), { code: 'limits_unavailable' });
  t.equal(limits.size('password-user/60'), 3);
  t.equal(limits.size('other'), 0);
});

function setUpFull() {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => 1 });
  return { clock, limits, add: (key: string) => limits.add('password-user/60', key, 60) };
}

t.test('beside a full rule new keys are counted all the same, each for as long as any', async (t) => {
  const { clock, limits, add } = setUpFull();
  await add('first');
  clock.advance(30);
  for (let count = 1; count <= 3; count += 1) t.equal((await add('second')).count, count);
  t.equal((await add('first')).count, 2);
  t.equal((await limits.read('password-user/60', 'second')).count, 3);
  clock.advance(30);
  t.equal((await add('second')).count, 4, 'room in the rule is no clean slate');
  t.strictSame(
    await add('third'),
    { count: 1, resetAtMs: clock() + 60_000 },
    'it is for keys that are not counted yet',
  );
  clock.advance(30);
  t.equal((await add('second')).count, 1);
});

t.test('what is counted in a bucket is given back there', async (t) => {
  const { clock, limits, add } = setUpFull();
  await add('first');
  for (let login = 0; login < 100; login += 1) await limits.giveBack('password-user/60', 'second', await add('second'));
  t.equal((await limits.read('password-user/60', 'second')).count, 0);
  const early = await add('second');
  clock.advance(60);
  t.equal((await add('first')).count, 1);
  await add('second');
  await limits.giveBack('password-user/60', 'second', early);
  t.equal((await limits.read('password-user/60', 'second')).count, 1);
});

t.test('a claim has no bucket: it must be one key’s alone', async (t) => {
  const { limits, add } = setUpFull();
  await add('first');
  await t.rejects(limits.claim('password-user/60', 'second', 60), { code: 'limits_unavailable' });
});

t.test('a rule holds the counters that run and at most as many that have ended, not all there ever were', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  let most = 0;
  for (let n = 0; n < 10_000; n += 1) {
    if (n % 1000 === 0) clock.advance(30);
    await limits.add('rule', `key ${n}`, 30);
    most = Math.max(most, limits.size('rule'));
  }
  t.ok(most <= 2048, `${most} counters, of which 1000 run`);
  t.equal((await limits.read('rule', 'key 9999')).count, 1);
});
