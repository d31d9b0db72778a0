import t from 'tap';
import { isoSeconds, systemClock } from '../src/clock.ts';

t.test('an instant is told in whole UTC seconds', async (t) => {
  t.equal(isoSeconds(0), '1970-01-01T00:00:00Z');
  t.equal(isoSeconds(1_767_225_599), '2025-12-31T23:59:59Z');
});

t.test('the system clock counts milliseconds', async (t) => {
  const before = Date.now();
  const now = systemClock();
  t.ok(now >= before && now <= Date.now());
});
