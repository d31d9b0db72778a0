import t from 'tap';
import { decodeText, TextFileError } from '../src/text-file.ts';

t.test('UTF-8 is read whole, without its byte-order mark', async (t) => {
  for (const text of ['', 'a', 'a\nb\r\n', 'Zoë €', '😀', 'a\uFEFFb', '\uFFFD']) {
    t.equal(decodeText(Buffer.from(text)), text, JSON.stringify(text));
    t.equal(decodeText(Buffer.from(`\uFEFF${text}`)), text, `${JSON.stringify(text)} after a byte-order mark`);
  }
});

t.test('every other encoding is refused, and the message quotes nothing', async (t) => {
  const text = 'SECRET=hunter2\n';
  const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16();
  const utf16 = Buffer.from(text.padEnd(16), 'utf16le');
  const cases: [string, Buffer, RegExp][] = [
    ['UTF-16 LE with a mark', Buffer.from(`\uFEFF${text}`, 'utf16le'), /UTF-16/],
    ['UTF-16 BE with a mark', swapped(Buffer.from(`\uFEFF${text}`, 'utf16le')), /UTF-16/],
    ['UTF-16 LE', utf16, /UTF-16/],
    ['UTF-16 BE', swapped(utf16), /UTF-16/],
    ['a mark alone', Buffer.from([0xff, 0xfe]), /UTF-16/],
    ['a zero byte', Buffer.from(`${text}\0`), /binary/],
    ['Latin-1', Buffer.from('SECRET=hunter2é\n', 'latin1'), /not valid UTF-8/],
    ['a character that is cut off', Buffer.from('SECRET=hunter2€').subarray(0, -1), /not valid UTF-8/],
    ['a surrogate', Buffer.from([0x61, 0xed, 0xa0, 0x80]), /not valid UTF-8/],
  ];
  for (const [name, bytes, message] of cases) {
    t.throws(() => decodeText(bytes), { constructor: TextFileError, message }, name);
    t.throws(() => decodeText(bytes), { message: /^(?!.*hunter2)/s }, name);
  }
});
