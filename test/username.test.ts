import t from 'tap';
import { foldUsername } from '../src/username.ts';

t.test('spellings of one name are one', async (t) => {
  for (const [a, b] of [
    ['bob', 'BOB'],
    ['bob', 'ｂｏｂ'],
    ['bob', 'ＢＯＢ'],
    ['rené', 'rene\u0301'],
    ['ångström', 'Å\u004eGSTRÖM'],
    ['ångström', '\u212bngström'],
    ['file', 'ﬁle'],
    ['ΣΑΣ', 'Σας'.toUpperCase()],
    ['bob@example.com', 'Bob@Example.COM'],
  ] as const) {
    t.equal(foldUsername(a), foldUsername(b), `${a} and ${b}`);
  }
});

t.test('different names stay different', async (t) => {
  for (const [a, b] of [
    ['bob', 'rob'],
    ['bob', 'bob '],
    ['bob', ''],
    ['rene', 'rené'],
    ['bob', 'bоb'], // the second has a Cyrillic о
  ] as const) {
    t.not(foldUsername(a), foldUsername(b), `${a} and ${b}`);
  }
});

t.test('folding twice changes nothing', async (t) => {
  for (const name of ['BOB', 'ﬁLE', '\u212b', 'İstanbul', 'ẞ', '\ud800', '\0', '']) {
    t.equal(foldUsername(foldUsername(name)), foldUsername(name), JSON.stringify(name));
  }
});
