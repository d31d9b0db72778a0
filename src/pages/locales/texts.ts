import type { en } from './en.ts';

/** The same form with any words in it. */
type Reworded<T> = { readonly [Name in keyof T]: T[Name] extends string ? string : Reworded<T[Name]> };

/** Every word that a person reads or hears, in one language. English says what there is to translate. */
export type Texts = Reworded<typeof en>;
