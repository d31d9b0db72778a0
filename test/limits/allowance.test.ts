import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { nextAllowed, take } from '../../src/limits/allowance.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { fakeClock } from '../support/fake-clock.ts';

const windows = (...pairs: [count: number, seconds: number][]) => pairs.map(([count, seconds]) => ({ count, seconds }));

t.test('an event is counted by all limits, or by none', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const a = { rule: 'a', key: 'k', windows: windows([1, 60]) };
  const b = { rule: 'b', key: 'k', windows: windows([10, 60], [20, 600]) };
  await take(limits, [a, b], clock());
  for (let event = 0; event < 5; event += 1) {
    await t.rejects(take(limits, [a, b], clock()), { code: 'too_many_requests', retryAfterSeconds: 60 });
  }
  t.equal((await limits.read('b/60', 'k')).count, 1);
  t.equal((await limits.read('b/600', 'k')).count, 1);
  t.equal((await limits.read('a/60', 'k')).count, 1);
});

t.test('the longest wait is told, and when the next event is allowed', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const both = [{ rule: 'a', key: 'k', windows: windows([1, 60], [1, 600]) }];
  t.equal((await take(limits, both, clock())).nextAtMs, clock() + 600_000);
  await t.rejects(take(limits, both, clock()), { retryAfterSeconds: 600, code: 'too_many_requests' });
  const roomy = [{ rule: 'b', key: 'k', windows: windows([2, 60]) }];
  t.equal((await take(limits, roomy, clock())).nextAtMs, 0);
});

t.test('when the next event is allowed can be asked without counting one', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const wanted = [{ rule: 'a', key: 'k', windows: windows([1, 60], [2, 600]) }];
  t.equal(await nextAllowed(limits, wanted, clock()), 0);
  const { nextAtMs } = await take(limits, wanted, clock());
  t.equal(await nextAllowed(limits, wanted, clock()), nextAtMs);
  clock.advance(60);
  t.equal(await nextAllowed(limits, wanted, clock()), 0);
  const last = await take(limits, wanted, clock());
  t.equal(await nextAllowed(limits, wanted, clock()), last.nextAtMs);
  t.equal((await limits.read('a/600', 'k')).count, 2);
});

t.test('an event that did not happen is not taken off a later window', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const wanted = [{ rule: 'a', key: 'k', windows: windows([2, 60]) }];
  const early = await take(limits, wanted, clock());
  clock.advance(60);
  await take(limits, wanted, clock());
  await early.giveBack();
  t.equal((await limits.read('a/60', 'k')).count, 1);
});

t.test('no limits, no counting', async (t) => {
  const limits = createMemoryLimits({ clock: fakeClock(), maxKeys: () => 0 });
  const taken = await take(limits, [{ rule: 'a', key: 'k', windows: [] }], 0);
  t.equal(taken.nextAtMs, 0);
  await t.resolves(taken.giveBack());
});

t.test('when one limit cannot be counted, the others are uncounted', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => 1 });
  await limits.add('full/60', 'somebody else', 60);
  const wanted = [
    { rule: 'a', key: 'k', windows: windows([5, 60]) },
    { rule: 'full', key: 'k', windows: windows([5, 60]) },
  ];
  await t.rejects(take(limits, wanted, clock()), { code: 'limits_unavailable' });
  t.equal((await limits.read('a/60', 'k')).count, 0);
});

t.test('what cannot be given back does not hide the failure', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const failing = {
    ...limits,
    add: async (rule: string, key: string, ttl: number) => {
      if (rule === 'b/60') throw new DoorcodeError('limits_unavailable');
      return limits.add(rule, key, ttl);
    },
    giveBack: async () => {
      throw new Error('away');
    },
  };
  const wanted = ['a', 'b'].map((rule) => ({ rule, key: 'k', windows: windows([5, 60]) }));
  await t.rejects(take(failing, wanted, clock()), { code: 'limits_unavailable' });
});

t.test('two windows of one length count an event once, and the smaller count holds', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const doubled = [{ rule: 'a', key: 'k', windows: windows([20, 600], [5, 600], [5, 600]) }];
  for (let event = 1; event <= 5; event += 1) {
    await take(limits, doubled, clock());
    t.equal((await limits.read('a/600', 'k')).count, event);
  }
  t.equal(await nextAllowed(limits, doubled, clock()), clock() + 600_000);
  await t.rejects(take(limits, doubled, clock()), { code: 'too_many_requests', retryAfterSeconds: 600 });
});
