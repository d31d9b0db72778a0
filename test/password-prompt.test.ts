import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { readPassword } from '../src/password-prompt.ts';

/** Standard input and output as a process has them: a pipe, or (with `terminal`) a person. */
function startReading({ terminal = false, single = false } = {}) {
  const input = Object.assign(new PassThrough(), { isTTY: terminal });
  const output = new PassThrough();
  const shown = { text: '' };
  output.setEncoding('utf8').on('data', (chunk) => {
    shown.text += chunk;
  });
  const password = readPassword(input, output, single);
  /** Types when asked, as a person does. */
  const answer = async (prompt: string, typed: string) => {
    while (!shown.text.endsWith(prompt)) await once(output, 'data');
    input.write(typed);
  };
  return { input, shown, password, answer };
}

const BOTH_PROMPTS = 'Password: \nThe same again: \n';

t.test('from a pipe, the password is the first line, and nothing is asked', async (t) => {
  const lines: Record<string, string> = {
    'correct horse\n': 'correct horse',
    'correct horse\r\n': 'correct horse',
    // As `printf %s` and most programs write it.
    'correct horse': 'correct horse',
    'first\nsecond\nthird\n': 'first',
    ' blanks stay \n': ' blanks stay ',
    'Zoë 😀\n': 'Zoë 😀',
    'a\tb\n': 'a\tb',
    '\nsecond\n': '',
  };
  for (const [text, expected] of Object.entries(lines)) {
    const { input, shown, password } = startReading();
    input.end(text);
    t.equal(await password, expected, JSON.stringify(text));
    t.equal(shown.text, '', JSON.stringify(text));
  }
});

t.test('a pipe may be slow, and need not end', async (t) => {
  const { input, password } = startReading();
  const bytes = Buffer.from('Zoë horse\n');
  for (const byte of bytes) input.write(Buffer.from([byte]));
  t.equal(await password, 'Zoë horse');
});

t.test('an input without a word is no password', async (t) => {
  const { input, password, shown } = startReading();
  input.end();
  await t.rejects(password, { message: 'No password was given.' });
  t.equal(shown.text, '');
});

t.test('a person is asked twice, and sees nothing of what they type', async (t) => {
  const { password, shown, answer } = startReading({ terminal: true });
  await answer('Password: ', 'correct horse\r');
  await answer('The same again: ', 'correct horse\r');
  t.equal(await password, 'correct horse');
  t.equal(shown.text, BOTH_PROMPTS);
});

t.test('two entries that differ are refused, and neither is told', async (t) => {
  const { password, shown, answer } = startReading({ terminal: true });
  await answer('Password: ', 'correct horse\r');
  await answer('The same again: ', 'correct house\r');
  await t.rejects(password, { message: 'The two passwords differ.' });
  t.equal(shown.text, BOTH_PROMPTS);
});

t.test('typing is corrected as usual', async (t) => {
  const { password, shown, answer } = startReading({ terminal: true });
  await answer('Password: ', 'corrcet\u007f\u007f\u007fect\r');
  await answer('The same again: ', 'correct\r');
  t.equal(await password, 'correct');
  t.equal(shown.text, BOTH_PROMPTS);
});

t.test('both entries may be pasted at once', async (t) => {
  const { input, password, shown } = startReading({ terminal: true });
  input.write('correct horse\ncorrect horse\n');
  t.equal(await password, 'correct horse');
  t.equal(shown.text, BOTH_PROMPTS);
});

t.test('a person who breaks off gives no password', async (t) => {
  const endings = { 'Ctrl+C': '\u0003', 'Ctrl+D': '\u0004', 'Ctrl+C after some letters': 'abc\u0003' };
  for (const [name, typed] of Object.entries(endings)) {
    const first = startReading({ terminal: true });
    await first.answer('Password: ', typed);
    await t.rejects(first.password, { message: 'No password was given.' }, name);
    t.notMatch(first.shown.text, 'abc', name);

    const second = startReading({ terminal: true });
    await second.answer('Password: ', 'correct horse\r');
    await second.answer('The same again: ', typed);
    await t.rejects(second.password, { message: 'No password was given.' }, `${name}, the second time`);
  }
  const gone = startReading({ terminal: true });
  gone.input.end();
  await t.rejects(gone.password, { message: 'No password was given.' }, 'the terminal is closed');
});

t.test('what comes after the password is nobody’s', async (t) => {
  const { input, password } = startReading();
  input.write('first\n');
  await password;
  t.equal(input.isPaused(), true, 'the process may end');
});

t.test('for a password that exists already, a person is asked once', async (t) => {
  const { password, shown, answer } = startReading({ terminal: true, single: true });
  await answer('Password: ', 'correct horse\r');
  t.equal(await password, 'correct horse');
  t.equal(shown.text, 'Password: \n');
});
