import t from 'tap';
import { createTestNumbers } from '../../src/verifications/test-numbers.ts';

t.test('a number has its fixed code until the time is over', async (t) => {
  const numbers = createTestNumbers(new Map([['+15550100001', '123456']]), 1_000);
  t.equal(numbers.codeOf('+15550100001', 999), '123456');
  t.equal(numbers.codeOf('+15550100001', 1_000), undefined);
  t.equal(numbers.codeOf('+15550100002', 0), undefined);
});
