import t from 'tap';
import { createOnce } from '../../src/sign-in/once.ts';

/** Something to do that counts how often it was done, and timers that the test lets run out. */
function setUp() {
  const timers: [run: () => void, ms: number][] = [];
  const once = createOnce((run, ms) => void timers.push([run, ms]));
  let done = 0;
  return { once, timers, act: async () => ++done };
}

t.test('what comes while it is done, and just after, gets the same answer', async (t) => {
  const { once, timers, act } = setUp();
  t.strictSame(await Promise.all([once('a', act), once('a', act)]), [1, 1]);
  t.equal(await once('a', act), 1);
  t.equal(await once('b', act), 2, 'another key is another action');
  t.strictSame(
    timers.map(([, ms]) => ms),
    [2000, 2000],
  );
  for (const [run] of timers) run();
  t.equal(await once('a', act), 3, 'and no longer');
});

t.test('without a key everything is done', async (t) => {
  const { once, act } = setUp();
  t.strictSame(await Promise.all([once(undefined, act), once(undefined, act)]), [1, 2]);
});

t.test('a failure is told to all who waited for it, and to nobody else', async (t) => {
  const { once, timers, act } = setUp();
  const fail = async () => {
    await act();
    throw new Error('no');
  };
  const both = await Promise.allSettled([once('a', fail), once('a', fail)]);
  t.strictSame(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  t.equal(await once('a', act), 2);
  t.equal(timers.length, 1);
});

t.test('its own timer does not keep the process alive', async (t) => {
  const once = createOnce();
  t.equal(await once('a', async () => 1), 1);
  t.equal(await once('a', async () => 2), 1);
});
