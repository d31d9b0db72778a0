import t from 'tap';
import { createRandomBytes } from '../src/random.ts';

t.test('as many bytes as asked for, more than the pool holds included', async (t) => {
  const random = createRandomBytes(32);
  for (const length of [0, 1, 16, 20, 31, 32, 33, 1000]) t.equal(random(length).length, length);
});

t.test('no byte is given out twice', async (t) => {
  const random = createRandomBytes(64);
  const drawn = Array.from({ length: 1000 }, () => random(16).toString('hex'));
  t.equal(new Set(drawn).size, 1000);
  t.notMatch(drawn.join(' '), /0{32}/);
});

t.test('what was given out is of its own: neither a later draw nor its owner changes the other', async (t) => {
  const random = createRandomBytes(64);
  const first = random(16);
  const copy = Buffer.from(first);
  for (let i = 0; i < 10; i += 1) random(16).fill(0);
  t.strictSame(first, copy);
  first.fill(0);
  t.notSame(random(16), Buffer.alloc(16));
});

t.test('every value of a byte comes up about as often', async (t) => {
  const random = createRandomBytes();
  const counts = new Uint32Array(256);
  for (let i = 0; i < 4096; i += 1) for (const byte of random(20)) counts[byte] = (counts[byte] ?? 0) + 1;
  // 320 of each on average; ten standard deviations either way.
  t.ok(counts.every((count) => Math.abs(count - 320) < 180));
});
