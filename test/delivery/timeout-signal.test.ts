import { once } from 'node:events';
import t from 'tap';
import { timeoutSignal } from '../../src/delivery/timeout-signal.ts';

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

t.test('the signal fires when the time is over', async (t) => {
  const { signal, clear } = timeoutSignal(1);
  t.equal(signal.aborted, false);
  await once(signal, 'abort');
  t.equal(signal.aborted, true);
  clear();
});

t.test('a timer that is cleared is gone', async (t) => {
  const before = timers();
  const { signal, clear } = timeoutSignal(60_000);
  t.equal(timers(), before + 1);
  clear();
  t.equal(timers(), before);
  t.equal(signal.aborted, false);
});

t.test('it can be fired before its time', async (t) => {
  const before = timers();
  const { signal, abort, clear } = timeoutSignal(60_000);
  abort();
  t.equal(signal.aborted, true);
  clear();
  t.equal(timers(), before);
});
