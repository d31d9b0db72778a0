import { readFileSync } from 'node:fs';
import t from 'tap';
import { countedUsername } from '../src/username.ts';
import { FOLDS_UNICODE } from '../src/username-folds.ts';

// The table is made for one version of Unicode. A Node.js with an older one knows fewer characters, and those that it
// does not know are refused in names. A newer one knows characters that are missing in the table.
const { unicode } = process.versions;
const isNewer = Number(unicode) > Number(FOLDS_UNICODE);

const { compare } = new Intl.Collator('und', { sensitivity: 'base' });

/** Every code point but surrogates that the running version of Unicode has assigned, private use included. */
const characters = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter(
  (character) => !/[\p{Cs}\p{Cn}]/u.test(character),
);
const sorted = characters.toSorted(compare);
const show = (text: string) =>
  `${text} U+${Array.from(text, (c) => c.codePointAt(0)?.toString(16).padStart(4, '0')).join(' U+')}`;

t.test('the table is not older than the Unicode of this Node.js', async (t) => {
  t.notOk(isNewer, `Unicode ${unicode} is newer than ${FOLDS_UNICODE}: run \`npm run fold-table\` with this Node.js`);
});

t.test('the table is what the generator makes', async (t) => {
  if (unicode !== FOLDS_UNICODE) return t.pass('another version of Unicode makes another table');
  const { TABLE } = (await import(new URL('../scripts/fold-table.mjs', import.meta.url).href)) as { TABLE: string };
  // The first line names the ICU, of which several have the same Unicode.
  const tableOf = (text: string) => text.slice(text.indexOf('\n'));
  const committed = new URL('../src/username-folds.ts', import.meta.url);
  t.equal(tableOf(TABLE), tableOf(readFileSync(committed, 'utf8')));
});

t.test('any two characters that collation considers equal at base strength have the same form', async (t) => {
  const faults = sorted
    .slice(1)
    .map((character, index) => [sorted[index] as string, character] as const)
    .filter(([a, b]) => compare(a, b) === 0 && countedUsername(a) !== countedUsername(b));
  t.strictSame(
    faults.slice(0, 20).map((pair) => pair.map(show)),
    [],
  );
});

t.test('so have a character and the longer text that it is equal to', async (t) => {
  const firsts = sorted.filter(
    (character, index) => index === 0 || compare(sorted[index - 1] as string, character) !== 0,
  );
  /** The character that the rest of `text` begins with, by its weight: the last one that does not sort after it. */
  const next = (text: string, prefix: string) => {
    let [low, high] = [0, firsts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (compare(prefix + firsts[middle], text) <= 0) low = middle;
      else high = middle;
    }
    return firsts[low] as string;
  };
  const faults: string[] = [];
  let expansions = 0;
  for (const [index, character] of firsts.entries()) {
    // U+FFFF sorts after everything, so this one begins with the weight of the one before.
    const before = firsts[index - 1];
    if (before === undefined || before.length === 0 || compare(character, `${before}\uffff`) > 0) continue;
    let text = before;
    for (let length = 1; length < 40 && compare(text, character) !== 0; length += 1) text += next(character, text);
    if (compare(text, character) !== 0) continue;
    expansions += 1;
    if (countedUsername(text) !== countedUsername(character)) faults.push(`${show(character)} is ${show(text)}`);
  }
  t.ok(expansions > 100, `${expansions} found`);
  t.strictSame(faults.slice(0, 20), []);
});

t.test(
  'a form of one ASCII character stands for what collation considers equal to it, and for nothing else',
  async (t) => {
    const ascii = characters.filter((character) => /^[\x21-\x7e]$/.test(character));
    t.equal(new Set(ascii.map(countedUsername)).size, ascii.length - 26, 'only upper case is the same');
    const withoutMarks = (text: string) => text.normalize('NFKD').replace(/[\p{M}\s·]/gu, '');
    const faults = characters.filter((character) => {
      const form = countedUsername(character);
      return /^[\x21-\x7e]$/.test(form) && !/\p{M}/u.test(character) && compare(withoutMarks(character), form) !== 0;
    });
    t.strictSame(faults.map(show), []);
  },
);
