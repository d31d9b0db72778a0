import t from 'tap';
import { countedUsername, foldUsername } from '../src/username.ts';

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

t.test('wrong passwords are counted by less than the name: by what a directory may take for it', async (t) => {
  for (const spelling of [
    'bob',
    'BOB',
    'ｂｏｂ',
    'bob ',
    ' bob',
    '\tbob\r\n',
    '\u3000bob\u00a0',
    'b\u200bob',
    'bo\u00adb',
    '\ufeffbob',
    'bob\u0000',
    'bob\u007f',
    'bób',
    'bo\u0301b',
    'b\u0336o\u0336b',
    'bob\ufe0f',
    'bob\u{e0061}',
    ' \u200b bob',
  ]) {
    t.equal(countedUsername(spelling), 'bob', JSON.stringify(spelling));
  }
  t.equal(countedUsername('ann  \u2003 lee'), countedUsername('Ann Lee'));
  t.equal(countedUsername('ann \u0000 lee'), countedUsername('Ann Lee'));
  t.equal(countedUsername('İstanbul'), countedUsername('istanbul'));
  for (const [a, b] of [
    ['bob', 'rob'],
    ['annlee', 'ann lee'],
    ['bob', 'bоb'], // the second has a Cyrillic о
  ] as const) {
    t.not(countedUsername(a), countedUsername(b), `${a} and ${b}`);
  }
  for (const name of ['ﬁLE', 'ẞ', '\ud800', '\0 \u200b', '', ' \0 a', 'a \0 b']) {
    t.equal(countedUsername(countedUsername(name)), countedUsername(name), JSON.stringify(name));
  }
});
