import type { Test } from 'tap';
import type { Limits } from '../../src/limits/limits.ts';
import type { FakeClock } from '../support/fake-clock.ts';

/** What every adapter of the port promises. Times are the given clock's. */
export function limitsContract(
  t: Test,
  name: string,
  make: (t: Test) => Promise<{ limits: Limits; clock: FakeClock }>,
): void {
  t.test(`${name}: a counter counts from its first event and is forgotten after its time`, async (t) => {
    const { limits, clock } = await make(t);
    const start = clock();
    t.strictSame(await limits.add('rule', 'a', 10), { count: 1, resetAtMs: start + 10_000 });
    clock.advance(9);
    t.strictSame(await limits.add('rule', 'a', 10), { count: 2, resetAtMs: start + 10_000 });
    t.strictSame(await limits.read('rule', 'a'), { count: 2, resetAtMs: start + 10_000 });
    clock.advance(1);
    t.equal((await limits.read('rule', 'a')).count, 0);
    t.strictSame(await limits.add('rule', 'a', 10), { count: 1, resetAtMs: start + 20_000 });
  });

  t.test(`${name}: a sliding counter is forgotten its time after its last event`, async (t) => {
    const { limits, clock } = await make(t);
    await limits.add('rule', 'a', 10, { sliding: true });
    clock.advance(9);
    t.strictSame(await limits.add('rule', 'a', 10, { sliding: true }), { count: 2, resetAtMs: clock() + 10_000 });
    clock.advance(9);
    t.equal((await limits.read('rule', 'a')).count, 2);
    clock.advance(1);
    t.equal((await limits.read('rule', 'a')).count, 0);
  });

  t.test(
    `${name}: a counter that is full counts no more and lives no longer, and tells what it would be`,
    async (t) => {
      const { limits, clock } = await make(t);
      const two = { sliding: true, max: 2 };
      await limits.add('rule', 'a', 10, two);
      await limits.add('rule', 'a', 10, two);
      const full = { count: 3, resetAtMs: clock() + 10_000 };
      for (let second = 0; second < 9; second += 1) {
        clock.advance(1);
        t.strictSame(await limits.add('rule', 'a', 10, two), full);
      }
      t.equal((await limits.read('rule', 'a')).count, 2);
      t.strictSame(await limits.add('rule', 'a', 10, { sliding: true, max: 1 }), full, 'also when it was less before');
      clock.advance(1);
      t.equal((await limits.add('rule', 'a', 10, two)).count, 1);
      const parallel = await Promise.all(Array.from({ length: 20 }, () => limits.add('rule', 'b', 10, { max: 5 })));
      t.equal(parallel.filter(({ count }) => count <= 5).length, 5);
    },
  );

  t.test(`${name}: keys and rules are apart, whatever characters they have`, async (t) => {
    const { limits } = await make(t);
    const keys = ['a', 'A', 'a:b', 'a b', '', '*', '__proto__', 'constructor', '\u0000', 'ä', 'x'.repeat(1000)];
    for (const key of keys) t.equal((await limits.add('rule', key, 10)).count, 1, JSON.stringify(key));
    t.equal((await limits.add('other', 'a', 10)).count, 1);
    t.equal((await limits.add('rule', 'a', 10)).count, 2);
    t.equal((await limits.read('__proto__', 'a')).count, 0);
  });

  t.test(`${name}: parallel events are all counted, and one claim wins`, async (t) => {
    const { limits } = await make(t);
    const counts = await Promise.all(Array.from({ length: 50 }, () => limits.add('rule', 'a', 10)));
    t.strictSame(
      counts.map(({ count }) => count).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    const claims = await Promise.all(Array.from({ length: 50 }, () => limits.claim('once', 'a', 10)));
    t.equal(claims.filter(Boolean).length, 1);
  });

  t.test(`${name}: a claim can be made again once its time is over or it is forgotten`, async (t) => {
    const { limits, clock } = await make(t);
    t.equal(await limits.claim('once', 'a', 10), true);
    t.equal((await limits.read('once', 'a')).count, 1);
    clock.advance(9);
    t.equal(await limits.claim('once', 'a', 10), false);
    clock.advance(1);
    t.equal(await limits.claim('once', 'a', 10), true);
    await limits.forget('once', 'a');
    t.equal(await limits.claim('once', 'a', 10), true);
  });

  t.test(`${name}: an event is given back, never below zero, and never revives what is over`, async (t) => {
    const { limits, clock } = await make(t);
    await limits.add('rule', 'a', 10);
    await limits.add('rule', 'a', 10);
    await limits.giveBack('rule', 'a');
    t.equal((await limits.read('rule', 'a')).count, 1);
    await limits.giveBack('rule', 'a');
    await limits.giveBack('rule', 'a');
    t.equal((await limits.read('rule', 'a')).count, 0);
    t.equal((await limits.add('rule', 'a', 10)).count, 1);
    clock.advance(10);
    await limits.giveBack('rule', 'a');
    await limits.giveBack('rule', 'unknown');
    t.equal((await limits.read('rule', 'a')).count, 0);
    t.equal((await limits.read('rule', 'unknown')).count, 0);
  });

  t.test(`${name}: an event is given back to the window that it was counted in, and to no later one`, async (t) => {
    const { limits, clock } = await make(t);
    const first = await limits.add('rule', 'a', 10);
    await limits.giveBack('rule', 'a', first);
    t.equal((await limits.read('rule', 'a')).count, 0);
    const early = await limits.add('rule', 'a', 10);
    clock.advance(10);
    const late = await limits.add('rule', 'a', 10);
    await limits.giveBack('rule', 'a', early);
    t.equal((await limits.read('rule', 'a')).count, 1, 'the window before');
    await limits.add('rule', 'a', 10);
    await limits.giveBack('rule', 'a', late);
    await limits.giveBack('rule', 'a', late);
    t.equal((await limits.read('rule', 'a')).count, 0);
  });

  t.test(`${name}: a clock that is set back makes no counter last longer, and loses no count`, async (t) => {
    const { limits, clock } = await make(t);
    const early = await limits.add('rule', 'a', 30);
    await limits.add('rule', 'a', 30);
    await limits.add('slides', 'a', 30, { sliding: true });
    await limits.claim('once', 'a', 30);
    for (const seconds of [-3600, -2 * 86_400]) {
      clock.advance(seconds);
      const end = clock() + 30_000;
      t.strictSame(await limits.read('rule', 'a'), { count: 2, resetAtMs: end });
      t.strictSame(await limits.read('slides', 'a'), { count: 1, resetAtMs: end });
      t.strictSame(await limits.read('once', 'a'), { count: 1, resetAtMs: end });
      t.equal(await limits.claim('once', 'a', 30), false);
      clock.advance(10);
      t.strictSame(await limits.read('rule', 'a'), { count: 2, resetAtMs: end }, 'each look does not begin it anew');
    }
    const end = clock() + 20_000;
    t.strictSame(await limits.add('rule', 'a', 30), { count: 3, resetAtMs: end });
    await limits.giveBack('rule', 'a', early);
    t.strictSame(await limits.read('rule', 'a'), { count: 2, resetAtMs: end }, 'a refund finds its window');
    clock.advance(20);
    t.equal((await limits.read('rule', 'a')).count, 0);
    t.equal((await limits.read('slides', 'a')).count, 0);
    t.equal(await limits.claim('once', 'a', 30), true);
    t.strictSame(await limits.add('rule', 'a', 30), { count: 1, resetAtMs: clock() + 30_000 });
    t.strictSame(await limits.read('rule', 'a'), { count: 1, resetAtMs: clock() + 30_000 });
  });

  t.test(`${name}: forgetting what is not there is no error`, async (t) => {
    const { limits } = await make(t);
    await limits.forget('rule', 'a');
    t.equal((await limits.read('rule', 'a')).count, 0);
  });
}
