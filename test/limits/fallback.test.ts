import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { createFallbackLimits } from '../../src/limits/fallback.ts';
import type { Limits } from '../../src/limits/limits.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { limitsContract } from './limits.contract.ts';

/** A store that can be taken away. */
function fickle(limits: Limits) {
  const state: { error: Error | null } = { error: null };
  const guard =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (state.error !== null) throw state.error;
      return call(...args);
    };
  const store: Limits = {
    add: guard(limits.add),
    giveBack: guard(limits.giveBack),
    read: guard(limits.read),
    claim: guard(limits.claim),
    forget: guard(limits.forget),
    close: limits.close,
  };
  return { store, state };
}

function setUp() {
  const clock = fakeClock();
  const shared = createMemoryLimits({ clock });
  const { store, state } = fickle(shared);
  const lines: string[] = [];
  const write = (_fields: object, line: string) => void lines.push(line);
  const replica = () =>
    createFallbackLimits(store, createMemoryLimits({ clock }), { info: write, warn: write, error: write });
  return { clock, shared, state, lines, replica, away: new DoorcodeError('limits_unavailable') };
}

limitsContract(t, 'fallback, store there', async () => {
  const { clock, replica } = setUp();
  return { limits: replica(), clock };
});

limitsContract(t, 'fallback, store away', async () => {
  const { clock, replica, state, away } = setUp();
  state.error = away;
  return { limits: replica(), clock };
});

t.test('while the store is there, its counts hold, over all replicas', async (t) => {
  const { replica } = setUp();
  const [a, b] = [replica(), replica()];
  await a.add('rule', 'k', 60);
  t.equal((await b.add('rule', 'k', 60)).count, 2);
  t.equal(a.isDegraded(), false);
});

t.test('when it goes away each replica goes on from what it has counted itself, and says so once', async (t) => {
  const { replica, state, lines, away } = setUp();
  const [a, b] = [replica(), replica()];
  for (let event = 0; event < 4; event += 1) await a.add('rule', 'k', 60);
  t.equal(await a.claim('once', 'k', 60), true);
  state.error = away;
  t.equal((await a.add('rule', 'k', 60)).count, 5, 'no clean slate');
  t.equal(await a.claim('once', 'k', 60), false);
  t.equal(a.isDegraded(), true);
  t.equal((await b.add('rule', 'k', 60)).count, 1);
  await a.read('rule', 'k');
  t.strictSame(lines, [
    'limits are degraded: each replica counts for itself',
    'limits are degraded: each replica counts for itself',
  ]);
  state.error = null;
  t.equal((await a.add('rule', 'k', 60)).count, 5, 'the four and this one');
  t.equal(a.isDegraded(), false);
  t.equal(lines.at(-1), 'limits are shared again');
});

t.test('a full local memory does no harm while the store is there; away, it is the store', async (t) => {
  const { shared, clock, away } = setUp();
  const { store, state } = fickle(shared);
  const quiet = { info() {}, warn() {}, error() {} };
  const limits = createFallbackLimits(store, createMemoryLimits({ clock, maxKeys: () => 0 }), quiet);
  t.equal((await limits.add('rule', 'k', 60)).count, 1);
  state.error = away;
  await t.rejects(limits.add('rule', 'k', 60), { code: 'limits_unavailable' });
});

t.test('an error that is not about reaching the store is not covered up', async (t) => {
  const { replica, state } = setUp();
  state.error = new TypeError('a fault of ours');
  await t.rejects(replica().add('rule', 'k', 60), { message: 'a fault of ours' });
});

t.test('closing closes both', async (t) => {
  await t.resolves(setUp().replica().close());
});
