import t from 'tap';
import { createBoundedQueue } from '../../src/users/bounded-queue.ts';

/** A task that ends when it is told to. */
function held() {
  let end = () => {};
  let fail = (_error: Error) => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  let started = false;
  const task = async () => {
    started = true;
    await ended;
    return 'done';
  };
  return { task, end: () => end(), fail: (error: Error) => fail(error), started: () => started };
}

t.test('a task starts at once while there is a place, and waits when there is none', async (t) => {
  const enqueue = createBoundedQueue({ concurrency: 2, queueLength: 2 });
  const tasks = [held(), held(), held(), held()];
  const results = tasks.map(({ task }) => enqueue(task));
  t.same(
    tasks.map(({ started }) => started()),
    [true, true, false, false],
  );
  tasks[1]?.end();
  t.equal(await results[1], 'done');
  t.same(
    tasks.map(({ started }) => started()),
    [true, true, true, false],
    'first come, first served',
  );
  for (const { end } of tasks) end();
  t.same(await Promise.all(results), ['done', 'done', 'done', 'done']);
});

t.test('what finds neither place nor waiting place is refused', async (t) => {
  const enqueue = createBoundedQueue({ concurrency: 1, queueLength: 1 });
  const [first, second, third] = [held(), held(), held()];
  const running = enqueue(first.task);
  const waiting = enqueue(second.task);
  await t.rejects(enqueue(third.task), { code: 'overloaded', status: 503, retryAfterSeconds: 1 });
  t.notOk(third.started());
  first.end();
  second.end();
  await Promise.all([running, waiting]);
  third.end();
  t.equal(await enqueue(third.task), 'done', 'there is room again');
});

t.test('without waiting places, a busy queue refuses', async (t) => {
  const enqueue = createBoundedQueue({ concurrency: 1, queueLength: 0 });
  const first = held();
  const running = enqueue(first.task);
  await t.rejects(
    enqueue(async () => {}),
    { code: 'overloaded' },
  );
  first.end();
  await running;
  await t.resolves(enqueue(async () => {}));
});

t.test('a task that fails gives its place back', async (t) => {
  const enqueue = createBoundedQueue({ concurrency: 1, queueLength: 1 });
  for (let round = 0; round < 3; round += 1) {
    const bad = held();
    const running = enqueue(bad.task);
    const waiting = enqueue(async () => 'next');
    bad.fail(new Error('broken'));
    await t.rejects(running, { message: 'broken' });
    t.equal(await waiting, 'next');
    await t.rejects(
      enqueue(() => {
        throw new Error('before any promise');
      }),
      { message: 'before any promise' },
    );
  }
});

t.test('a newcomer does not overtake, nor make one more run', async (t) => {
  const enqueue = createBoundedQueue({ concurrency: 1, queueLength: 10 });
  const order: number[] = [];
  let running = 0;
  const task = (name: number) => async () => {
    running += 1;
    t.equal(running, 1);
    await Promise.resolve();
    order.push(name);
    running -= 1;
  };
  const first = enqueue(task(0));
  const others = [1, 2].map((name) => enqueue(task(name)));
  const newcomer = first.then(() => enqueue(task(3)));
  await Promise.all([...others, newcomer]);
  t.same(order, [0, 1, 2, 3]);
});

t.test('numbers that leave no place are refused', async (t) => {
  for (const [concurrency, queueLength] of [
    [0, 1],
    [-1, 1],
    [1.5, 1],
    [Number.NaN, 1],
    [1, -1],
    [1, 0.5],
  ] as const) {
    t.throws(() => createBoundedQueue({ concurrency, queueLength }), RangeError, `${concurrency}, ${queueLength}`);
  }
});

t.test('who has waited too long is refused, and the place goes to somebody who has not', async (t) => {
  let now = 0;
  const enqueue = createBoundedQueue({ concurrency: 1, queueLength: 10, maxWaitMs: 500, now: () => now });
  let finish = () => {};
  const first = enqueue(() => new Promise<void>((resolve) => (finish = resolve)));
  const early = [1, 2].map((name) => enqueue(async () => name));
  now = 400;
  const late = enqueue(async () => 3);
  t.strictSame(enqueue.depth(), { running: 1, waiting: 3 });
  now = 501;
  finish();
  await first;
  for (const refused of early) await t.rejects(refused, { code: 'overloaded', retryAfterSeconds: 1 });
  t.equal(await late, 3);
  t.strictSame(enqueue.depth(), { running: 0, waiting: 0 });
  t.equal(await enqueue(async () => 4), 4, 'the place was not lost');
});
