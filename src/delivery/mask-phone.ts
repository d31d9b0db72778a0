// Calling codes are prefix-free: zones 1 and 7 whole, these of two digits, all others (also those not yet assigned)
// of three. ITU-T, "List of Recommendation E.164 assigned country codes".
const e164 =
  /^\+(?=\d{6,15}$)(?<code>1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9]\d\d)(?<hidden>\d+)(?<last>\d\d)$/;

/** What is shown for something that is no phone number: nothing of it. */
const nothing = '••••••••';

/**
 * A number as logs and answers may show it: the calling code and the last two digits, `+1 ••• ••• ••01`,
 * `+44 •••• ••••01`. Works on the form alone, without the library's tables, because each login does it.
 *
 * @param e164Number E.164; of any other text nothing is shown
 */
export function maskPhone(e164Number: string): string {
  const { code, hidden = '', last } = e164.exec(e164Number)?.groups ?? {};
  if (code === undefined) return nothing;
  const national = `${'•'.repeat(hidden.length)}${last}`;
  if (code === '1' && national.length === 10) {
    return `+1 ${national.slice(0, 3)} ${national.slice(3, 6)} ${national.slice(6)}`;
  }
  // Shorter ones stay in one piece: a group of four would leave too little beside it.
  return national.length > 6 ? `+${code} ${national.slice(0, 4)} ${national.slice(4)}` : `+${code} ${national}`;
}
