import t from 'tap';
import { median, separation, spread, tellApart } from '../../src/attack/statistics.ts';

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

t.test('the spread is how far from the middle they usually are', async (t) => {
  t.equal(spread([10, 11, 12, 13, 500]), 1);
  t.equal(spread([5]), 0);
});

const NEAR = [0.4, 0.5, 0.6, 0.5, 4, 0.4];
const FAR = [80, 79.5, 81, 80.2, 80.4, 130];

t.test('a hash that is left out is seen, through noise; noise alone is not', async (t) => {
  const hashed = [24, 31, 26];
  const told = (first: readonly number[], second: readonly number[]) => tellApart(first, second, NEAR);
  t.equal(
    told(hashed, [1, 1.2, 0.9, 1, 40, 1.1, 1, 1, 1.3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    'apart',
    'in spite of one slow one',
  );
  t.equal(told([1, 1, 2], [30, 31, 29, 35, 33, 28, 30]), 'apart', 'in either direction');
  t.equal(told(hashed, [25, 30, 27, 22, 60, 26]), 'alike', 'the same work');
  t.equal(told(hashed, [20, 21, 22, 19, 18, 20]), 'alike', 'always faster, but by little');
  t.equal(told([2.2, 2.4, 3], [1, 1, 1, 1, 1, 1]), 'alike', 'twice as fast, but by nothing that hashing could be');
  t.equal(told([1, 80, 90], [1, 1.2, 70, 75, 1, 85]), 'alike', 'now and then slow');
});

t.test('what the network takes does not hide it', async (t) => {
  const hashed = [120, 121, 119];
  t.equal(tellApart(hashed, [81, 80.5, 82, 81, 81.5, 81], FAR), 'apart');
  t.equal(tellApart([81, 80.5, 82], [120, 121, 119, 119.5], FAR), 'apart');
  t.equal(tellApart(hashed, [122, 123, 124, 125, 122], FAR), 'alike');
  t.equal(tellApart(hashed, [81, 80.5, 82, 81], [150, 151, 149, 150]), 'apart', 'with a measure that is too slow');
});

t.test('a network whose own times differ as much tells nothing', async (t) => {
  const restless = [60, 80, 110, 140, 190, 85];
  t.equal(tellApart([120, 121, 119], [81, 80.5, 82, 81], restless), 'unclear');
  t.equal(tellApart([120, 121, 119], [118, 119, 121], restless), 'unclear');
  t.equal(tellApart([220, 221, 219], [218, 219, 221], restless), 'alike', 'unless the work takes longer than that');
  t.equal(tellApart([1, 2, 4], [3, 1, 2], [1, 4, 8, 2, 6]), 'alike', 'or no hash could hide in it');
  t.equal(tellApart([24, 31, 26], [25, 30, 27], []), 'unclear', 'nor does one that was not measured');
});
