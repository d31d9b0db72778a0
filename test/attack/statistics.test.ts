import t from 'tap';
import { median, separation, tellApart } from '../../src/attack/statistics.ts';

t.test('the median is the middle, or the mean of the two there', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([5]), 5);
  t.ok(Number.isNaN(median([])));
});

t.test('separation is the chance that the second takes longer', async (t) => {
  t.equal(separation([1, 2], [3, 4]), 1);
  t.equal(separation([3, 4], [1, 2]), 0);
  t.equal(separation([1, 2], [1, 2]), 0.5);
  t.equal(separation([1, 3], [2, 2, 4, 4]), 0.75);
});

t.test('a hash that is left out is seen, through noise; noise alone is not', async (t) => {
  const hashed = [24, 31, 26];
  t.ok(
    tellApart(hashed, [1, 1.2, 0.9, 1, 40, 1.1, 1, 1, 1.3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    'in spite of one slow one',
  );
  t.ok(tellApart([1, 1, 2], [30, 31, 29, 35, 33, 28, 30]), 'in either direction');
  t.notOk(tellApart(hashed, [25, 30, 27, 22, 60, 26]), 'the same work');
  t.notOk(tellApart(hashed, [20, 21, 22, 19, 18, 20]), 'always faster, but by little');
  t.notOk(tellApart([2.2, 2.4, 3], [1, 1, 1, 1, 1, 1]), 'twice as fast, but by nothing that hashing could be');
  t.notOk(tellApart([1, 80, 90], [1, 1.2, 70, 75, 1, 85]), 'now and then slow');
});
