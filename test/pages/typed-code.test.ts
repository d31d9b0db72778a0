import t from 'tap';
import { plainCode } from '../../src/pages/typed-code.ts';

t.test('a code is read as people type, paste and dictate it', async (t) => {
  for (const typed of [
    '123456',
    '123 456',
    ' 123-456 ',
    '1 2 3 4 5 6',
    '123\u00a0456',
    '123–456',
    '123\u2212456',
    '\u200e123456\u200f',
    '\ufeff123456\n',
    '１２３４５６',
    '١٢٣٤٥٦',
    '१२३४५६',
    // Rows of digits that touch: mathematical bold and double-struck.
    '\u{1d7cf}\u{1d7d0}\u{1d7d1}\u{1d7dc}\u{1d7dd}\u{1d7de}',
  ]) {
    t.equal(plainCode(typed), '123456', JSON.stringify(typed));
  }
});

t.test('what is no code does not become one', async (t) => {
  for (const typed of ['', '12345', '1234567', '12a456', '123.456', '0x1234', '¹²³⁴⁵⁶', 'Ⅷ23456', '123/456']) {
    t.notMatch(plainCode(typed), /^[0-9]{6}$/, JSON.stringify(typed));
  }
});
