import t from 'tap';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { holdsChallenges, holdsLocks } from './limits.model.ts';

t.test('memory: whatever happens in whatever order, five comparisons and one success a challenge', async (t) => {
  const clock = fakeClock();
  // Memory is one replica's own: both apps stand for one process.
  const limits = createMemoryLimits({ clock });
  await holdsChallenges(t, [limits, limits], clock, { numRuns: 15 });
});

t.test('memory: no row of guesses is longer than the limit, and no account stays shut without a lock', async (t) => {
  const clock = fakeClock();
  await holdsLocks(t, createMemoryLimits({ clock }), clock, { numRuns: 50 });
});
