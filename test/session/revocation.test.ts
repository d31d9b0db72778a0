import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { createRevocation } from '../../src/session/revocation.ts';
import { fakeClock } from '../support/fake-clock.ts';

function setUp(maxKnown?: number) {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const state = { reads: 0, away: false };
  const watched = {
    ...limits,
    async read(rule: string, key: string) {
      state.reads += 1;
      if (state.away) throw new DoorcodeError('limits_unavailable');
      return limits.read(rule, key);
    },
  };
  const replica = () => createRevocation(watched, clock, maxKnown);
  return { clock, limits, state, replica, exp: clock() / 1000 + 3600 };
}

t.test('a revoked session stays revoked for as long as it could have lived', async (t) => {
  const { clock, replica, exp } = setUp();
  const revocation = replica();
  t.equal(await revocation.isRevoked('one'), false);
  await revocation.revoke('one', exp);
  await revocation.revoke('one', exp);
  t.equal(await revocation.isRevoked('one'), true, 'at once, where it was done');
  t.equal(await revocation.isRevoked('two'), false);
  clock.advance(3599.9);
  t.equal(await revocation.isRevoked('one'), true);
  t.equal(await replica().isRevoked('one'), true);
});

t.test('another replica refuses within five seconds, however often it is asked', async (t) => {
  const { clock, replica, exp } = setUp();
  const [here, there] = [replica(), replica()];
  t.equal(await there.isRevoked('one'), false);
  await here.revoke('one', exp);
  for (let tenths = 0; tenths < 40; tenths += 1) {
    t.equal(await there.isRevoked('one'), false);
    clock.advance(0.1);
  }
  t.equal(await there.isRevoked('one'), true);
});

t.test('the store is not asked on each request, nor twice at once', async (t) => {
  const { clock, replica, state } = setUp();
  const revocation = replica();
  await Promise.all(Array.from({ length: 50 }, () => revocation.isRevoked('one')));
  t.equal(state.reads, 1);
  for (let request = 0; request < 100; request += 1) await revocation.isRevoked('one');
  t.equal(state.reads, 1);
  clock.advance(4);
  await revocation.isRevoked('one');
  t.equal(state.reads, 2);
});

t.test('while the store is away the last known answer stands, and nobody waits for it in vain', async (t) => {
  const { clock, replica, state, exp } = setUp();
  const [here, there] = [replica(), replica()];
  t.equal(await there.isRevoked('good'), false);
  await here.revoke('bad', exp);
  t.equal(await there.isRevoked('bad'), true);
  clock.advance(60);
  state.away = true;
  t.equal(await there.isRevoked('bad'), true);
  t.equal(await there.isRevoked('good'), false);
  t.equal(await there.isRevoked('unknown'), false);
  const { reads } = state;
  for (let request = 0; request < 100; request += 1) await there.isRevoked(`other ${request}`);
  t.equal(state.reads, reads, 'within a second of a failure it is left alone');
  clock.advance(1);
  await there.isRevoked('good');
  t.equal(state.reads, reads + 1);
  await here.revoke('good', exp);
  state.away = false;
  clock.advance(1);
  t.equal(await there.isRevoked('good'), true, 'and once it is back it is asked again');
});

t.test('a clock that is set back makes answers stale, not everlasting', async (t) => {
  const { clock, replica, state, exp } = setUp();
  const [here, there] = [replica(), replica()];
  t.equal(await there.isRevoked('one'), false);
  clock.advance(-3600);
  await here.revoke('one', exp);
  t.equal(await there.isRevoked('one'), true);

  state.away = true;
  t.equal(await there.isRevoked('two'), false);
  state.away = false;
  clock.advance(-3600);
  await here.revoke('two', exp);
  t.equal(await there.isRevoked('two'), true, 'nor does the rest after a failure last');
});

t.test('revoking fails when it cannot be remembered', async (t) => {
  const clock = fakeClock();
  const revocation = createRevocation(createMemoryLimits({ clock, maxKeys: () => 0 }), clock);
  await t.rejects(revocation.revoke('one', clock() / 1000 + 60), { code: 'limits_unavailable' });
  t.equal(await revocation.isRevoked('one'), false);
});

t.test('a session that is over need not be remembered', async (t) => {
  const clock = fakeClock();
  const revocation = createRevocation(createMemoryLimits({ clock, maxKeys: () => 0 }), clock);
  await t.resolves(revocation.revoke('one', clock() / 1000));
});

t.test('answers are kept up to a bound; the oldest are asked for again', async (t) => {
  const { replica, state } = setUp(2);
  const revocation = replica();
  for (const id of ['one', 'two', 'three']) await revocation.isRevoked(id);
  t.equal(state.reads, 3);
  await revocation.isRevoked('three');
  t.equal(state.reads, 3);
  await revocation.isRevoked('one');
  t.equal(state.reads, 4);
});
