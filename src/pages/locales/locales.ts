import { de } from './de.ts';
import { en } from './en.ts';
import { es } from './es.ts';
import { fr } from './fr.ts';
import { pt } from './pt.ts';
import type { Texts } from './texts.ts';
import { zh } from './zh.ts';

/** The languages there are, by their BCP 47 tag. The first is taken when none is asked for. */
export const locales = { en, es, fr, de, pt, zh } satisfies Record<string, Texts>;

export type Locale = keyof typeof locales;
export const localeNames: readonly [Locale, ...Locale[]] = ['en', 'es', 'fr', 'de', 'pt', 'zh'];

/** The language there is for a tag: `de` for `de-AT`; the first for one that there are no words in. */
export function supportedLocale(tag: string): Locale {
  const language = tag.toLowerCase().replace(/-.*/s, '');
  return localeNames.find((name) => name === language) ?? localeNames[0];
}
