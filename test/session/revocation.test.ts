import t from 'tap';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { createRevocation } from '../../src/session/revocation.ts';
import { fakeClock } from '../support/fake-clock.ts';

t.test('a revoked session stays revoked for as long as it could have lived', async (t) => {
  const clock = fakeClock();
  const revocation = createRevocation(createMemoryLimits({ clock }));
  const exp = clock() / 1000 + 100;
  t.equal(await revocation.isRevoked('one'), false);
  await revocation.revoke('one', exp, clock());
  await revocation.revoke('one', exp, clock());
  t.equal(await revocation.isRevoked('one'), true);
  t.equal(await revocation.isRevoked('two'), false);
  clock.advance(99.9);
  t.equal(await revocation.isRevoked('one'), true);
});

t.test('a session that is over need not be remembered', async (t) => {
  const clock = fakeClock();
  const revocation = createRevocation(createMemoryLimits({ clock, maxKeysPerRule: 0 }));
  await t.resolves(revocation.revoke('one', clock() / 1000, clock()));
});
