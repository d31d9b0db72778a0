import { once } from 'node:events';
import t from 'tap';
import { createCutOff } from '../src/cut-off.ts';

t.test('a timeout fires by itself', async (t) => {
  const { signal, clear } = createCutOff().timeoutSignal(1);
  t.equal(signal.aborted, false);
  await once(signal, 'abort');
  clear();
});

t.test('cutting fires all that run, and those that start afterwards', async (t) => {
  const { timeoutSignal, cut } = createCutOff();
  const [running, other, cleared] = [timeoutSignal(60_000), timeoutSignal(60_000), timeoutSignal(60_000)];
  cleared.clear();
  cut();
  const late = timeoutSignal(60_000);
  t.strictSame(
    [running, other, cleared, late].map(({ signal }) => signal.aborted),
    [true, true, false, true],
  );
  for (const { clear } of [running, other, late]) clear();
});
