import { FOLDS } from './username-folds.ts';

/**
 * The form in which usernames are compared and counted, so that `bob`, `BOB` and full-width `ｂｏｂ` are one person:
 * width and compatibility mapping, then lower case, as UsernameCaseMapped does (RFC 8265 §3.3), with NFKC for NFC
 * because the width mapping alone leaves other look-alikes apart.
 */
export function foldUsername(username: string): string {
  return username.normalize('NFKC').toLowerCase().normalize('NFKC');
}

/** Combining marks, invisible and white-space characters, and code points that no name can contain. */
const IGNORED = /[\p{M}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}\p{Cn}\s]/gu;

/** Vowels of Thai, Lao, Tai Viet and New Tai Lue that are written before their consonant and collated after it. */
const PREPOSED_VOWELS = /\p{Logical_Order_Exception}/gu;

/**
 * A coarser form of a username, only for counting wrong passwords: a directory whose database compares names by a
 * collation accepts many spellings of one name, and none of them may have a count of its own. Names that Unicode
 * collation considers equal at base strength (UTS 10, UTS 35: case, accents, width, ligatures, digits of any script)
 * have one form. So do names that differ in white space only, because databases and LDAP (RFC 4518 §2.6.1) ignore some.
 *
 * Names of different users can have the same form. They share the limits on wrong passwords, and nothing else.
 */
export function countedUsername(username: string): string {
  // Before and after the mapping, because it changes what a few characters stand for.
  const folded = mapFolds(foldUsername(mapFolds(username)).normalize('NFKD')).replace(IGNORED, '');
  const vowels = folded.match(PREPOSED_VOWELS) ?? [];
  return folded.replace(PREPOSED_VOWELS, '') + vowels.join('');
}

let folds: ReadonlyMap<string, string> | undefined;

function mapFolds(text: string): string {
  folds ??= readFolds();
  return Array.from(text, (character) => folds?.get(character) ?? character).join('');
}

/** @returns the form that stands for each character of the table */
function readFolds(): ReadonlyMap<string, string> {
  const decode = (codes: string) => codes.split('+').map((code) => String.fromCodePoint(Number.parseInt(code, 16)));
  const lines = FOLDS.trim().split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [form = '', characters = ''] = line.split('=');
      const target = form === '' ? '' : decode(form).join('');
      return characters.split(' ').map((character) => [decode(character).join(''), target] as const);
    }),
  );
}
