import { getEventListeners } from 'node:events';
import t from 'tap';
import { abortable } from '../../src/delivery/abortable.ts';

const never = () => new Promise<never>(() => {});

t.test('work that is done in time is what it is', async (t) => {
  const { signal } = new AbortController();
  t.equal(await abortable(async () => 1, signal), 1);
  await t.rejects(
    abortable(() => Promise.reject(new Error('its own')), signal),
    { message: 'its own' },
  );
  t.equal(getEventListeners(signal, 'abort').length, 0, 'nothing is left on the signal');
});

t.test('when the signal fires, nobody waits any longer', async (t) => {
  const controller = new AbortController();
  const waiting = abortable(never, controller.signal);
  controller.abort();
  await t.rejects(waiting, { name: 'DeliveryError', kind: 'temporary', reason: 'timeout' });
  t.equal(getEventListeners(controller.signal, 'abort').length, 0);
});

t.test('a signal that has fired before counts', async (t) => {
  const work = () => t.fail('it is not begun') as never;
  await t.rejects(abortable(work, AbortSignal.abort()), { message: 'temporary: timeout' });
});

t.test('a failure that comes too late goes unheard', async (t) => {
  const controller = new AbortController();
  let fail = () => {};
  const work = new Promise<never>((_, reject) => {
    fail = () => reject(new Error('late'));
  });
  const waiting = abortable(() => work, controller.signal);
  controller.abort();
  await t.rejects(waiting, { message: 'temporary: timeout' });
  fail();
  await new Promise((resolve) => setImmediate(resolve));
});

t.test('work is told through its emitter, once', async (t) => {
  const controller = new AbortController();
  let told = 0;
  const waiting = abortable((abort) => {
    abort.on('abort', () => {
      told += 1;
    });
    return never();
  }, controller.signal);
  controller.abort();
  await t.rejects(waiting, { message: 'temporary: timeout' });
  t.equal(told, 1);
});

t.test('work that throws at once is work that failed', async (t) => {
  const { signal } = new AbortController();
  const work = () => {
    throw new Error('at once');
  };
  await t.rejects(abortable(work, signal), { message: 'at once' });
  t.equal(getEventListeners(signal, 'abort').length, 0);
});
