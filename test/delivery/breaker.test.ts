import t from 'tap';
import { createBreaker } from '../../src/delivery/breaker.ts';

function setup(options: { failures?: number; restMs?: number } = {}) {
  let now = 1_000_000;
  const breaker = createBreaker({ clock: () => now, ...options });
  return {
    breaker,
    pass: (ms: number) => (now += ms),
    fail(times: number) {
      for (let i = 0; i < times; i++) {
        t.equal(breaker.allows(), true);
        breaker.failed();
      }
    },
  };
}

t.test('it opens after five failures in a row', async (t) => {
  const { breaker, fail } = setup();
  fail(4);
  t.equal(breaker.state, 'closed');
  fail(1);
  t.equal(breaker.state, 'open');
  t.equal(breaker.allows(), false);
  t.equal(breaker.retryAtMs, 1_030_000);
});

t.test('a success between them begins the count anew', async (t) => {
  const { breaker, fail } = setup();
  for (let i = 0; i < 3; i++) {
    fail(4);
    breaker.succeeded();
  }
  t.equal(breaker.state, 'closed');
});

t.test('after the rest one trial goes through, and its success closes it', async (t) => {
  const { breaker, fail, pass } = setup();
  fail(5);
  pass(29_999);
  t.equal(breaker.allows(), false);
  pass(1);
  t.equal(breaker.state, 'half_open');
  t.equal(breaker.allows(), true);
  t.equal(breaker.allows(), false, 'everybody else waits for the trial');
  t.equal(breaker.state, 'half_open');
  breaker.succeeded();
  t.equal(breaker.state, 'closed');
  fail(4);
  t.equal(breaker.allows(), true, 'the count began anew');
});

t.test('a trial that fails makes another rest', async (t) => {
  const { breaker, fail, pass } = setup();
  fail(5);
  pass(30_000);
  fail(1);
  t.equal(breaker.state, 'open');
  t.equal(breaker.allows(), false);
  pass(30_000);
  t.equal(breaker.allows(), true);
});

t.test('calls that were under way when it opened do not make the rest longer', async (t) => {
  const { breaker, fail, pass } = setup();
  t.equal(breaker.allows(), true);
  fail(5);
  pass(10_000);
  breaker.failed();
  t.equal(breaker.retryAtMs, 1_030_000);
  pass(20_000);
  t.equal(breaker.allows(), true);
});

t.test('a success that comes late closes it', async (t) => {
  const { breaker, fail } = setup();
  t.equal(breaker.allows(), true);
  fail(5);
  breaker.succeeded();
  t.equal(breaker.allows(), true);
});

t.test('both numbers can be set', async (t) => {
  const { breaker, fail, pass } = setup({ failures: 1, restMs: 10 });
  fail(1);
  t.equal(breaker.allows(), false);
  pass(10);
  t.equal(breaker.allows(), true);
});

t.test('it is told when it opens, once', async (t) => {
  const { breaker, pass } = setup({ failures: 2 });
  t.equal(breaker.failed(), false);
  t.equal(breaker.failed(), true);
  t.equal(breaker.failed(), false, 'one that was under way');
  pass(30_000);
  t.equal(breaker.allows(), true);
  t.equal(breaker.failed(), false, 'it had not closed');
});

t.test('a trial that was not made is left to the next', async (t) => {
  const { breaker, fail, pass } = setup();
  fail(5);
  pass(30_000);
  t.equal(breaker.allows(), true);
  breaker.abandoned();
  t.equal(breaker.allows(), true);
  breaker.succeeded();
  t.equal(breaker.state, 'closed');
});

t.test('a clock that is set back makes no rest longer', async (t) => {
  const { breaker, fail, pass } = setup();
  fail(5);
  pass(-86_400_000);
  t.equal(breaker.retryAtMs, 1_030_000 - 86_400_000);
  t.equal(breaker.allows(), false);
  pass(30_000);
  t.equal(breaker.state, 'half_open');
  t.equal(breaker.allows(), true);
});
