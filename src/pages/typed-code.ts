/**
 * A code as people type or paste it: blanks and dashes between the digits, invisible characters around them, and digits
 * of other scripts (`１２３`, `١٢٣`). For forms only; JSON is taken as it is.
 *
 * @returns ASCII digits where that is all there was, else a text that is no code
 */
export function plainCode(typed: string): string {
  return typed
    .replace(/[\s\p{Cf}\p{Pd}\u2212]/gu, '')
    .replace(/\p{Nd}/gu, (digit) => String(digitValue(digit.codePointAt(0) ?? 0)));
}

/** Digits of a script stand in a row of ten from its zero on (Unicode §4.6); where rows touch, zero is every tenth. */
function digitValue(codePoint: number): number {
  let first = codePoint;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return (codePoint - first) % 10;
}
