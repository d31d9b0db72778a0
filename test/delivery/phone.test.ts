import t from 'tap';
import { parsePhone } from '../../src/delivery/phone.ts';

t.test('a number is read in the ways that people write it', async (t) => {
  for (const [input, e164] of [
    ['+15550100101', '+15550100101'],
    ['+1 (555) 010-0101', '+15550100101'],
    ['+1.555.010.0101', '+15550100101'],
    ['+44 (0)20 7946 0018', '+442079460018'],
    ['+39 06 1234 5678', '+390612345678'],
    ['+49 1511 2345678', '+4915112345678'],
  ] as const) {
    t.equal(parsePhone(input), e164, input);
  }
});

t.test('a possible number need not be an assigned one', async (t) => {
  t.equal(parsePhone('+15550100100'), '+15550100100');
});

t.test('what is no number with a calling code is refused', async (t) => {
  for (const input of [
    '',
    '+',
    '+1',
    '15550100101',
    '0015550100101',
    '5550100101',
    ' +15550100101',
    '+15550100101\n',
    '+1555010010',
    '+155501001011',
    '+999123456789',
    '+0123456789',
    '++15550100101',
    '+1800FLOWERS',
    '+15550100101 ext. 5',
    '+15550100101;ext=5',
    '+15550100101,,5',
    'tel:+15550100101',
    'call +15550100101 now',
    '+15550100101<script>',
    `+1555010${' '.repeat(40)}0101`,
  ]) {
    t.equal(parsePhone(input), null, JSON.stringify(input));
  }
});
