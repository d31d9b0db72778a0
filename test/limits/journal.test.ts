import { mock } from 'node:test';
import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { createJournal } from '../../src/limits/journal.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { fakeClock } from '../support/fake-clock.ts';

function setUp(maxClaims?: number) {
  const clock = fakeClock();
  const store = createMemoryLimits({ clock });
  const state = { away: false, claims: 0 };
  const fickle = {
    ...store,
    async claim(rule: string, key: string, ttlSeconds: number) {
      if (state.away) throw new DoorcodeError('limits_unavailable');
      state.claims += 1;
      return store.claim(rule, key, ttlSeconds);
    },
  };
  const journal = createJournal(fickle, clock, maxClaims);
  const note = (key: string, ttlSeconds = 60) =>
    journal.note({ rule: 'once', key, untilMs: clock() + ttlSeconds * 1000, ttlSeconds });
  return { clock, store, state, journal, note };
}

t.test('a claim is told for what is left of its time, and once', async (t) => {
  const { clock, store, state, journal, note } = setUp();
  note('a');
  clock.advance(20);
  await Promise.all([journal.replay(), journal.replay()]);
  t.strictSame(await store.read('once', 'a'), { count: 1, resetAtMs: clock() + 40_000 });
  await journal.replay();
  t.equal(state.claims, 1);
});

t.test('a claim is reported for no longer than it lasts, also when the clock was set back', async (t) => {
  const { clock, store, journal, note } = setUp();
  note('a', 60);
  clock.advance(-86_400);
  await journal.replay();
  t.strictSame(await store.read('once', 'a'), { count: 1, resetAtMs: clock() + 60_000 });
});

t.test('what is over is not told, nor does it hold what was claimed since', async (t) => {
  const { clock, store, journal, note } = setUp();
  note('a', 10);
  note('b', 60);
  await store.claim('once', 'b', 5);
  clock.advance(10);
  await journal.replay();
  t.equal((await store.read('once', 'a')).count, 0);
  t.strictSame(await store.read('once', 'b'), { count: 1, resetAtMs: clock() + 50_000 });
});

t.test('what the store does not take is kept, and told later without being asked for', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const { store, state, note } = setUp();
  state.away = true;
  for (let claim = 0; claim < 1200; claim += 1) note(`${claim}`);
  mock.timers.tick(1000);
  await new Promise(setImmediate);
  t.equal(state.claims, 0);
  state.away = false;
  mock.timers.tick(1000);
  await new Promise(setImmediate);
  t.equal(state.claims, 1200);
  t.equal((await store.read('once', '1199')).count, 1);
});

t.test('full, it keeps the old; what is over makes room', async (t) => {
  const { clock, store, journal, note } = setUp(2);
  t.equal(note('a', 10), true);
  t.equal(note('b', 60), true);
  t.equal(note('c'), false);
  clock.advance(10);
  t.equal(note('c'), true);
  journal.close();
  await journal.replay();
  for (const key of ['b', 'c']) t.equal((await store.read('once', key)).count, 1);
});
