import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** No written form of a number that people use is longer; longer input is not worth a look. */
const maxInputLength = 32;

/**
 * Reads a phone number as a person writes it, with its calling code: `+1 (555) 010-0100`. Possible is enough (the
 * right length for its country), because numbering plans change faster than any list of what is assigned.
 *
 * @returns E.164 (ITU-T E.164, `+` and up to 15 digits), or null for anything else: no leading `+`, an extension,
 *   letters, an unknown calling code, a wrong length
 */
export function parsePhone(input: string): string | null {
  if (!input.startsWith('+') || input.length > maxInputLength) return null;
  // Without `extract: false` the library would fish a number out of any prose around it.
  const number = parsePhoneNumberFromString(input, { extract: false });
  if (!number?.isPossible() || number.ext) return null;
  return number.number;
}
