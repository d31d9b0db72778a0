import fc from 'fast-check';
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
    'b\u0640ob',
    'b🅾b',
    'bøb',
    '🅱ⓞⓑ',
    'ᵇoᵇ',
    'b\u0366b',
    'bo\u{13430}b',
    'bo\ud800b',
    'bo\u{10ffff}b',
    'b o b',
  ]) {
    t.equal(countedUsername(spelling), 'bob', JSON.stringify(spelling));
  }
  t.equal(countedUsername('ann  \u2003 lee'), countedUsername('Ann Lee'));
  t.equal(countedUsername('ann \u0000 lee'), countedUsername('Ann Lee'));
  for (const [a, b] of [
    ['İstanbul', 'istanbul'],
    ['weiß', 'WEISS'],
    ['ÆON', 'aeon'],
    ['user١۲३', 'user123'],
    ['annlee', 'ann lee'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['ひらがな', 'ﾋﾗカﾞナ'],
    ['한글', '\u1112\u1161\u11ab\u1100\u1173\u11af'],
    ['ŀa', 'l·a'],
    // The vowel is written first, and collated after its consonant.
    ['เก', 'กเ'],
    ['ٵ', 'اٴ'],
  ] as const) {
    t.equal(countedUsername(a), countedUsername(b), `${a} and ${b}`);
  }
  for (const [a, b] of [
    ['bob', 'rob'],
    ['bob', 'bobb'],
    ['bob', 'bоb'], // the second has a Cyrillic о
  ] as const) {
    t.not(countedUsername(a), countedUsername(b), `${a} and ${b}`);
  }
  for (const name of ['ﬁLE', 'ẞ', '\ud800', '\0 \u200b', '', ' \0 a', 'a \0 b']) {
    t.equal(countedUsername(countedUsername(name)), countedUsername(name), JSON.stringify(name));
  }
});

t.test(
  'names that collation considers equal at base strength are counted as one, whatever they consist of',
  async (t) => {
    const { compare } = new Intl.Collator('und', { sensitivity: 'base' });
    const characters = Array.from({ length: 0x20000 }, (_, code) => String.fromCodePoint(code))
      .filter((character) => !/[\p{Cs}\p{Cn}\p{Co}]/u.test(character))
      .toSorted(compare);
    const spellings = new Map<string, string[]>();
    let equal: string[] = [];
    for (const character of characters) {
      if (equal[0] === undefined || compare(equal[0], character) !== 0) equal = [];
      equal.push(character);
      spellings.set(character, equal);
    }
    const ignorable = spellings.get('\0') as string[];
    const scripts = [
      /[\p{sc=Thai}\p{sc=Lao}\p{sc=Tavt}\p{sc=Talu}]/u,
      /[\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}]/u,
      /\p{sc=Hang}/u,
      /[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}]/u,
      /[\p{sc=Deva}\p{sc=Beng}\p{sc=Taml}\p{sc=Mlym}\p{sc=Sinh}\p{sc=Tibt}\p{sc=Bali}\p{sc=Khmr}]/u,
      /[\p{sc=Hira}\p{sc=Kana}]/u,
      /\p{N}/u,
      /\p{M}/u,
      /[\p{P}\p{S}\p{Z}]/u,
    ].map((script) => fc.constantFrom(...characters.filter((character) => script.test(character))));

    /** Other spellings of a name, most of them equal to it: each character replaced, ignorable ones put in, two swapped. */
    const spelling = (name: readonly string[]) =>
      fc
        .record({
          picks: fc.array(fc.nat(), { minLength: name.length, maxLength: name.length }),
          extra: fc.array(fc.tuple(fc.nat(name.length), fc.constantFrom(...ignorable)), { maxLength: 2 }),
          swapped: fc.option(fc.nat(name.length), { freq: 3 }),
          form: fc.constantFrom('NFC', 'NFD', 'NFKD', 'none'),
        })
        .map(({ picks, extra, swapped, form }) => {
          const spelled = name.map((character, index) => {
            const equal = spellings.get(character) as string[];
            return equal[(picks[index] as number) % equal.length] as string;
          });
          for (const [index, character] of extra) spelled.splice(index, 0, character);
          if (swapped !== null) spelled.splice(swapped, 2, ...spelled.slice(swapped, swapped + 2).toReversed());
          const text = spelled.join('');
          return form === 'none' ? text : text.normalize(form);
        });
    const pairs = fc
      .oneof(
        ...scripts.map((script) =>
          fc.array(fc.oneof({ weight: 4, arbitrary: script }, { weight: 1, arbitrary: fc.oneof(...scripts) }), {
            minLength: 1,
            maxLength: 5,
          }),
        ),
      )
      .chain((name) => fc.tuple(spelling(name), spelling(name)));
    let compared = 0;
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        if (compare(a, b) !== 0) return;
        compared += 1;
        if (countedUsername(a) !== countedUsername(b)) throw new Error(`${JSON.stringify([a, b])} have two forms`);
      }),
      { numRuns: 5000 },
    );
    t.ok(compared > 1000, `${compared} equal pairs`);
  },
);

t.test('spellings of one name are counted as one', async (t) => {
  const faults = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter((character) => {
    // U+037A is a space and a mark in NFKC, and an iota to collation.
    return character !== '\u037a' && countedUsername(foldUsername(character)) !== countedUsername(character);
  });
  t.strictSame(faults, []);
});
