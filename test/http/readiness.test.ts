import t from 'tap';
import { createReadiness, type ReadinessCheck } from '../../src/http/readiness.ts';
import { fakeClock } from '../support/fake-clock.ts';

function setUp(checks: Record<string, ReadinessCheck>) {
  const clock = fakeClock();
  const lifecycle = { draining: false };
  const logged: object[] = [];
  const write = (level: string) => (fields: object, message: string) => void logged.push({ level, ...fields, message });
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const report = createReadiness({ lifecycle, checks, warnings: () => ['a warning'], clock, log });
  return { clock, lifecycle, logged, report };
}

t.test('a check runs at most once a second, however many requests there are', async (t) => {
  let runs = 0;
  const limits = async () => {
    runs += 1;
    return null;
  };
  const { clock, report } = setUp({ limits });
  await Promise.all(Array.from({ length: 50 }, () => report()));
  t.equal(runs, 1, 'concurrent requests share it');
  clock.advance(0.999);
  await report();
  t.equal(runs, 1, 'later ones reuse its result');
  clock.advance(0.001);
  await Promise.all([report(), report()]);
  t.equal(runs, 2);
  clock.advance(-3600);
  await report();
  t.equal(runs, 3, 'a clock that was set back does not prolong it');
});

t.test('requests share a check that takes longer than a second, and reuse its result for a second more', async (t) => {
  let runs = 0;
  let finish = (_result: string | null) => {};
  const { clock, report } = setUp({
    limits: () => {
      runs += 1;
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
  });
  const first = report();
  clock.advance(5);
  const second = report();
  finish('out of reach');
  t.strictSame(await first, await second);
  t.match(await report(), { ready: false, checks: { limits: 'out of reach' } });
  t.equal(runs, 1);
});

t.test('a part that is excluded is not checked', async (t) => {
  let runs = 0;
  const limits = () => {
    runs += 1;
    return 'out of reach';
  };
  const { report } = setUp({ limits, delivery: () => null });
  t.strictSame(await report('limits'), {
    ready: true,
    checks: { process: 'ok', delivery: 'ok' },
    warnings: ['a warning'],
  });
  t.equal(runs, 0);
  t.match(await report(), { ready: false, checks: { limits: 'out of reach', delivery: 'ok' } });
});

t.test('shutting down is reported at once', async (t) => {
  const { lifecycle, report } = setUp({ limits: () => null });
  t.equal((await report()).ready, true);
  lifecycle.draining = true;
  t.match(await report(), { ready: false, checks: { process: 'shutting down', limits: 'ok' } });
});

t.test('the log has one line for each change, with the name of the check', async (t) => {
  let result: string | null | Error = null;
  const check = () => {
    if (result instanceof Error) throw result;
    return result;
  };
  const { clock, logged, report } = setUp({ limits: check, delivery: () => null });
  const states = [null, 'out of reach', 'out of reach', new Error('broken'), new Error('broken'), null, null];
  for (const next of states) {
    result = next;
    for (let probe = 0; probe < 3; probe += 1) await report();
    clock.advance(1);
  }
  t.match(logged, [
    { level: 'warn', check: 'limits', result: 'out of reach', message: 'readiness check failed' },
    { level: 'warn', check: 'limits', result: 'check failed', err: { message: 'broken' } },
    { level: 'info', check: 'limits', message: 'readiness check passes again' },
  ]);
  t.equal(logged.length, 3);
});
