import t from 'tap';
import { createGate } from '../../src/delivery/gate.ts';

t.test('so much at a time, and what is more is refused at once', async (t) => {
  const gate = createGate(2);
  const ends: (() => void)[] = [];
  const work = () => new Promise<string>((resolve) => ends.push(() => resolve('done')));
  const first = gate(work);
  const second = gate(work);
  await t.rejects(gate(work), { name: 'DeliveryError', message: 'temporary: busy' });
  t.equal(ends.length, 2, 'what is refused is not begun');
  ends[0]?.();
  t.equal(await first, 'done');
  const third = gate(work);
  for (const end of ends) end();
  t.strictSame(await Promise.all([second, third]), ['done', 'done']);
});

t.test('work that fails leaves its place', async (t) => {
  const gate = createGate(1);
  for (let i = 0; i < 3; i += 1) {
    await t.rejects(
      gate(() => Promise.reject(new Error('its own'))),
      { message: 'its own' },
    );
    await t.rejects(
      gate(() => {
        throw new Error('at once');
      }),
      { message: 'at once' },
    );
  }
});
