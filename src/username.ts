/**
 * The form in which usernames are compared and counted, so that `bob`, `BOB` and full-width `ｂｏｂ` are one person:
 * width and compatibility mapping, then lower case, as UsernameCaseMapped does (RFC 8265 §3.3), with NFKC for NFC
 * because the width mapping alone leaves other look-alikes apart.
 */
export function foldUsername(username: string): string {
  return username.normalize('NFKC').toLowerCase().normalize('NFKC');
}

/**
 * A coarser form, for counting wrong passwords only: what a directory may take for the same name must not have a count
 * of its own. Accents, and characters that are not seen, are dropped; white space is one blank, and none at the ends.
 * Names that are two people's share a count then, which costs them tries but never opens anything.
 */
export function countedUsername(username: string): string {
  return foldUsername(username)
    .normalize('NFKD')
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}]|(?!\s)\p{Cc}/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
}
