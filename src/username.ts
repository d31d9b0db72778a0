/**
 * The form in which usernames are compared and counted, so that `bob`, `BOB` and full-width `ｂｏｂ` are one person:
 * width and compatibility mapping, then lower case, as UsernameCaseMapped does (RFC 8265 §3.3), with NFKC for NFC
 * because the width mapping alone leaves other look-alikes apart.
 */
export function foldUsername(username: string): string {
  return username.normalize('NFKC').toLowerCase().normalize('NFKC');
}
