import t from 'tap';
import { parseEnvFile } from '../src/env-file.ts';
import { ConfigError } from '../src/environment.ts';

const read = (text: string | Buffer) => Object.fromEntries(parseEnvFile('.env', Buffer.from(text)));

function faultsOf(text: string | Buffer): readonly string[] {
  try {
    read(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

t.test('every line of the file is read, whatever its byte-order mark and line ends', async (t) => {
  const expected = { NODE_ENV: 'production', PORT: '3000', APP_NAME: 'Zoë' };
  for (const end of ['\n', '\r\n', '\r']) {
    for (const mark of ['', '\uFEFF']) {
      const text = `${mark}NODE_ENV=production${end}${end}# a comment${end}PORT=3000${end}APP_NAME=Zoë`;
      t.strictSame(read(text), expected, JSON.stringify(text));
      t.strictSame(read(text + end), expected, JSON.stringify(text + end));
    }
  }
  t.strictSame(read(''), {});
  t.strictSame(read('\uFEFF'), {});
});

t.test('a value is read whole', async (t) => {
  const lines: Record<string, string> = {
    'A=b': 'b',
    'A=': '',
    'A=   ': '',
    'A=""': '',
    ' \tA \t= b c\t ': 'b c',
    'export A=b': 'b',
    'export \t A = b': 'b',
    'A=b=c==': 'b=c==',
    'A==': '=',
    // A number sign inside a word starts no comment, in a shell, Docker and Compose.
    'A=a#b': 'a#b',
    'A=#2456d6': '#2456d6',
    'A=a#': 'a#',
    'A="a #b"': 'a #b',
    "A='a #b'": 'a #b',
    'A=`a #b`': 'a #b',
    'A="a#b" # a comment': 'a#b',
    'A=\'it is "quoted"\'': 'it is "quoted"',
    'A="it\'s"': "it's",
    'A=`"it\'s"`': '"it\'s"',
    'A="  b  "': '  b  ',
    'A=b"c': 'b"c',
    "A=b'c'": "b'c'",
    'A="a\\nb"': 'a\nb',
    "A='a\\nb'": 'a\\nb',
    'A=a\\nb': 'a\\nb',
    'A=a\\': 'a\\',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: no variables are replaced
    'A=$HOME ${B}': '$HOME ${B}',
  };
  for (const [line, value] of Object.entries(lines)) t.strictSame(read(`${line}\n`), { A: value }, line);
  t.strictSame(read('A=a\u2028b\u0085c\n'), { A: 'a\u2028b\u0085c' }, 'no line breaks of other standards');
  t.strictSame([...parseEnvFile('.env', Buffer.from('__proto__=a\nconstructor=b\n'))].length, 2);
});

t.test('a line that would be read in part is refused by its number, and its value is not shown', async (t) => {
  const lines: Record<string, RegExp> = {
    'A=hunter2 # a comment': /A contains # after a blank: put the value in quotes/,
    'A=hunter2\t#b': /A contains # after a blank/,
    'A= # hunter2': /A contains # after a blank/,
    'A=# hunter2': /A contains # after a blank/,
    'A=#hunter2 #b': /A contains # after a blank/,
    'A="hunter2': /A must end with the quote with which it starts/,
    "A='hunter2": /A must end with the quote/,
    'A=`hunter2': /A must end with the quote/,
    'A="': /A must end with the quote/,
    'A="hunter2" b': /A must end with the quote/,
    'A="hunter2"b': /A must end with the quote/,
    'A="hunter2"#b': /A must end with the quote/,
    'A="hunter2\\"b"': /contains "$/,
    "A='hunter2'b'": /contains '$/,
    'A: hunter2': /must be NAME=value/,
    'A hunter2': /must be NAME=value/,
    hunter2: /must be NAME=value/,
    '=hunter2': /must be NAME=value/,
    'A B=hunter2': /must be NAME=value/,
    'NODE.ENV=hunter2': /must be NAME=value, the name in letters, digits and _/,
    'NODE-ENV=hunter2': /must be NAME=value/,
    '1A=hunter2': /must be NAME=value/,
    '\u00a0A=hunter2': /must be NAME=value/,
    '; hunter2': /must be NAME=value/,
    '// hunter2': /must be NAME=value/,
    'A=hunter2\u001b[0m': /control character/,
    'A=hunter2\u007f': /control character/,
    '\uFEFFA=hunter2': /byte-order mark/,
    'A=\uFEFFhunter2': /byte-order mark/,
    'B=hunter2': /B is set a second time, after line 1/,
    'export B=hunter2': /B is set a second time, after line 1/,
  };
  for (const [line, fault] of Object.entries(lines)) {
    // Control characters would not survive in the name of an assertion.
    const name = encodeURI(line);
    const [found, ...more] = faultsOf(`B=b\n${line}\nC=c\n`);
    t.match(found, /^\.env:2: /, name);
    t.match(found, fault, name);
    t.notMatch(found, 'hunter2', name);
    t.strictSame(more, [], name);
  }
  t.strictSame(faultsOf('A\r\nB=1\r\nC').length, 2, 'all faults at once');
});

t.test('a file that is not UTF-8, or is far too large, is refused by its name', async (t) => {
  const text = 'NODE_ENV=production\nPORT=3000\n';
  t.match(faultsOf(Buffer.from(`\uFEFF${text}`, 'utf16le')), [/^\.env: is UTF-16 .*save it as UTF-8$/]);
  t.match(faultsOf(Buffer.from(text, 'utf16le')), [/^\.env: is UTF-16/]);
  t.match(faultsOf(Buffer.from(`${text}APP_NAME=Zoë`, 'latin1')), [/^\.env: is not valid UTF-8/]);
  t.match(faultsOf(`A=${'a'.repeat(1_048_576)}`), ['.env: is larger than 1 MiB']);
  t.match(read(`A=${'a'.repeat(1_048_000)}`), { A: /^a{1048000}$/ });
});
