import t from 'tap';
import { faultDigits, faultOf } from '../../src/phone-simulator/faults.ts';

t.test('the last three digits of a number say what goes wrong, and most numbers work', async (t) => {
  for (const [number, fault] of [
    ['+15550100901', 'rejected'],
    ['+447700900902', 'opted_out'],
    ['+15550100910', 'undelivered'],
    ['+15550100100', null],
    ['+15550100911', null],
    ['+15559010100', null],
  ] as const) {
    t.equal(faultOf(number), fault, number);
  }
});

t.test('each fault has digits of its own and is explained', async (t) => {
  t.equal(new Set(faultDigits.map(({ digits }) => digits)).size, faultDigits.length);
  t.equal(new Set(faultDigits.map(({ fault }) => fault)).size, faultDigits.length);
  for (const { digits, what } of faultDigits) {
    t.match(digits, /^\d{3}$/);
    t.not(what, '');
  }
});
