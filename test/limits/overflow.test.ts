import t from 'tap';
import { createOverflow } from '../../src/limits/overflow.ts';
import { fakeClock } from '../support/fake-clock.ts';

const WINDOW = 60;

t.test('no key is ever counted too low, however many there are', async (t) => {
  const clock = fakeClock();
  const overflow = createOverflow(clock, 'seed', 64);
  const own = new Map<string, number>();
  for (let event = 0; event < 5000; event += 1) {
    const key = `key ${(event * 7919) % 300}`;
    own.set(key, (own.get(key) ?? 0) + 1);
    if (overflow.add(key, WINDOW).count < (own.get(key) ?? 0)) t.fail(key);
  }
  t.ok((overflow.read('key 1')?.count ?? 0) >= (own.get('key 1') ?? 0));
});

t.test('a window begins with its first event and is over in whole seconds, never early', async (t) => {
  const clock = fakeClock();
  const overflow = createOverflow(clock, 'seed');
  t.equal(overflow.read('a'), null);
  clock.advance(0.5);
  const { resetAtMs } = overflow.add('a', WINDOW);
  t.equal(resetAtMs, clock() + 60_500);
  clock.advance(60.499);
  t.strictSame(overflow.add('a', WINDOW), { count: 2, resetAtMs });
  clock.advance(0.001);
  t.equal(overflow.read('a'), null);
  t.equal(overflow.add('a', WINDOW).count, 1);
});

t.test('an event is given back in its own window, never below zero', async (t) => {
  const clock = fakeClock();
  const overflow = createOverflow(clock, 'seed');
  const early = overflow.add('a', WINDOW);
  overflow.giveBack('a', early);
  overflow.giveBack('a', early);
  t.equal(overflow.read('a'), null);
  overflow.add('a', WINDOW);
  clock.advance(WINDOW);
  overflow.giveBack('a', early);
  overflow.add('a', WINDOW);
  overflow.giveBack('a', early);
  t.equal(overflow.read('a')?.count, 1);
});

t.test('keys share buckets by the secret of the process', async (t) => {
  const clock = fakeClock();
  const keys = Array.from({ length: 200 }, (_, index) => `key ${index}`);
  const beside = (seed: string) => {
    const overflow = createOverflow(clock, seed, 16);
    overflow.add('victim', WINDOW);
    return keys.filter((key) => overflow.read(key) !== null);
  };
  t.strictSame(beside('one'), beside('one'));
  t.notSame(beside('one'), beside('two'));
});

t.test('a clock that is set back makes no window longer', async (t) => {
  const clock = fakeClock();
  const overflow = createOverflow(clock, 'seed');
  overflow.add('a', WINDOW);
  clock.advance(-86_400);
  t.strictSame(overflow.read('a'), { count: 1, resetAtMs: clock() + 60_000 });
  t.strictSame(overflow.add('a', WINDOW), { count: 2, resetAtMs: clock() + 60_000 });
  clock.advance(60);
  t.equal(overflow.read('a'), null);
});
