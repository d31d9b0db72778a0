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
    createFallbackLimits({
      shared: store,
      local: createMemoryLimits({ clock }),
      clock,
      log: { info: write, warn: write, error: write },
    });
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
  const local = createMemoryLimits({ clock, maxKeys: () => 0 });
  const limits = createFallbackLimits({ shared: store, local, clock, log: quiet });
  t.equal((await limits.add('rule', 'k', 60)).count, 1);
  state.error = away;
  await t.rejects(limits.add('rule', 'k', 60), { code: 'limits_unavailable' });
});

t.test('what was claimed while it was away is claimed in it afterwards, for what is left of its time', async (t) => {
  const { clock, shared, replica, state, away } = setUp();
  const [a, b] = [replica(), replica()];
  state.error = away;
  t.equal(await a.claim('closed', 'code', 600), true);
  t.equal(await a.claim('revoked', 'session', 3600), true);
  t.equal(await a.claim('lock', 'alice', 900), true);
  t.equal(await a.claim('closed', 'code', 600), false);
  clock.advance(100);
  state.error = null;
  await a.read('rule', 'k');
  await new Promise(setImmediate);
  t.strictSame(await shared.read('closed', 'code'), { count: 1, resetAtMs: clock() + 500_000 });
  t.equal(await b.claim('closed', 'code', 600), false);
  for (const [rule, key] of [
    ['revoked', 'session'],
    ['lock', 'alice'],
  ] as const) {
    t.equal((await b.read(rule, key)).count, 1, rule);
  }
});

t.test('what an outage has used up is not given out again here, told or not', async (t) => {
  const { clock, shared, replica, state, away } = setUp();
  const limits = replica();
  await limits.add('guesses', 'code', 600);
  state.error = away;
  for (let guess = 0; guess < 3; guess += 1) await limits.add('guesses', 'code', 600);
  t.equal(await limits.claim('closed', 'code', 600), true);
  state.error = null;
  const claimed = limits.claim('closed', 'code', 600);
  t.equal((await limits.add('guesses', 'code', 600)).count, 5);
  t.equal((await shared.read('guesses', 'code')).count, 2);
  t.equal(await claimed, false, 'also before the store has been told');
  t.equal((await limits.read('closed', 'code')).count, 1);
  clock.advance(600);
  t.equal((await limits.add('guesses', 'code', 600)).count, 1);
});

t.test('a count that can be reset is the store’s alone while it is there', async (t) => {
  const { shared, replica } = setUp();
  const limits = replica();
  await limits.claim('lock', 'alice', 900);
  await limits.add('failures', 'alice', 900);
  await shared.forget('lock', 'alice');
  await shared.forget('failures', 'alice');
  t.equal((await limits.read('lock', 'alice')).count, 0, 'unlocked by hand, or by a success elsewhere');
  t.equal((await limits.add('failures', 'alice', 900)).count, 1);
  t.equal(await limits.claim('lock', 'alice', 900), true);
});

t.test('an event is given back where it was counted', async (t) => {
  const { clock, shared, replica, state, away } = setUp();
  const [a, b] = [replica(), replica()];
  await b.add('rule', 'k', 60);
  clock.advance(1);
  const both = await a.add('rule', 'k', 60);
  t.equal(both.count, 2, 'the windows of the two stores differ');
  await a.giveBack('rule', 'k', both);
  t.equal((await shared.read('rule', 'k')).count, 1);
  state.error = away;
  t.equal((await a.read('rule', 'k')).count, 0);
  const here = await a.add('rule', 'k', 60);
  state.error = null;
  await a.giveBack('rule', 'k', here);
  t.equal((await shared.read('rule', 'k')).count, 1, 'the store never counted it');
});

t.test('a store that can be read but not written to is away', async (t) => {
  const { clock, shared, lines, away } = setUp();
  const write = (_fields: object, line: string) => void lines.push(line);
  const store = {
    ...shared,
    add: async () => {
      throw away;
    },
  };
  const local = createMemoryLimits({ clock });
  const limits = createFallbackLimits({ shared: store, local, clock, log: { info: write, warn: write, error: write } });
  for (let guess = 0; guess < 3; guess += 1) {
    await limits.add('guesses', 'code', 600);
    await limits.read('closed', 'code');
    t.equal(limits.isDegraded(), true);
  }
  t.equal(lines.length, 1);
});

t.test('when more was claimed than is kept, it is said', async (t) => {
  const { clock, shared, lines, away } = setUp();
  const { store, state } = fickle(shared);
  const write = (_fields: object, line: string) => void lines.push(line);
  const limits = createFallbackLimits({
    shared: store,
    local: createMemoryLimits({ clock }),
    clock,
    log: { info: write, warn: write, error: write },
    maxClaims: 1,
  });
  state.error = away;
  t.equal(await limits.claim('closed', 'one', 600), true);
  t.equal(await limits.claim('closed', 'two', 600), true);
  t.equal(lines.at(-1), 'more has happened than the limit store can be told of later');
});

t.test('an error that is not about reaching the store is not covered up', async (t) => {
  const { replica, state } = setUp();
  state.error = new TypeError('a fault of ours');
  await t.rejects(replica().add('rule', 'k', 60), { message: 'a fault of ours' });
});

t.test('closing closes both', async (t) => {
  await t.resolves(setUp().replica().close());
});
