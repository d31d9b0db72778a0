import type { PhoneNumber } from 'libphonenumber-js/max';

/** Why a number gets no messages: not on the list of countries, or one that its owner is paid for by the call. */
export type NumberRefusal = 'country' | 'premium_rate';

export interface NumberRules {
  /** @param e164Number E.164 */
  refusal(e164Number: string): Promise<NumberRefusal | null>;
  /** Whether it has a length that numbers of its country have. @param e164Number E.164 */
  isPossible(e164Number: string): Promise<boolean>;
  /**
   * The number that limits count: one for all spellings that reach the same phone, E.164.
   *
   * @param e164Number E.164
   */
  countedNumber(e164Number: string): Promise<string>;
  /** Loads what the rules stand in, which the first question does else. */
  load(): Promise<void>;
}

/**
 * Lengths of mobile numbers that differ from the library's example, national digits. Germany's numbers with 016 and 017
 * have ten digits or eleven; the example has eleven.
 */
const USUAL_LENGTHS: Readonly<Record<string, number>> = { DE: 10 };

/** A plus and the digits that the shortest numbers have. */
const MIN_LENGTH = 7;

/**
 * Which numbers are sent to at all, since whoever can make a service send can make it pay: premium-rate numbers never,
 * and with a list of countries only those.
 *
 * The library's tables take 90 ms to load, too much for the start: see {@link NumberRules.load}.
 *
 * @param countries ISO 3166-1 alpha-2, upper case; none is every country
 */
export function createNumberRules(countries: readonly string[]): NumberRules {
  // Of all tables only `max` knows which numbers are premium-rate.
  let loading: Promise<typeof import('libphonenumber-js/max')> | undefined;
  const tables = () => {
    loading ??= import('libphonenumber-js/max');
    return loading;
  };

  /** A message asks several times about its number. */
  let last: { readonly e164Number: string; readonly number: PhoneNumber | undefined } | undefined;

  async function parse(e164Number: string): Promise<PhoneNumber | undefined> {
    const { parsePhoneNumberFromString } = await tables();
    if (last?.e164Number !== e164Number) {
      last = { e164Number, number: parsePhoneNumberFromString(e164Number, { extract: false }) };
    }
    return last.number;
  }

  /** Networks may route by the first digits alone, so more of them than the plan knows make no other number of it. */
  async function isPremiumRate(e164Number: string): Promise<boolean> {
    for (let digits = e164Number; digits.length > MIN_LENGTH; digits = digits.slice(0, -1)) {
      const type = (await parse(digits))?.getType();
      if (type !== undefined) return type === 'PREMIUM_RATE';
    }
    return false;
  }

  async function usualLength(country: string | undefined): Promise<number | undefined> {
    if (country === undefined) return undefined;
    const { default: examples } = await import('libphonenumber-js/examples.mobile');
    return USUAL_LENGTHS[country] ?? (examples as Partial<Record<string, string>>)[country]?.length;
  }

  /**
   * Networks route by the first digits and ignore those after a complete number. Where numbers of several lengths are
   * valid, as in Germany, Austria, Finland and Indonesia, no table says which length a given number has. It is then cut
   * to its shortest valid form that has the usual length of the country: ten or more longer numbers may share a count.
   * The library removes a trunk prefix (`+44 0…`) and reads other spellings of the same number (`+54 … 15 …`).
   */
  async function countedNumber(e164Number: string): Promise<string> {
    const { parsePhoneNumberFromString } = await tables();
    const number = await parse(e164Number);
    if (number === undefined) return e164Number;
    const { country, countryCallingCode, nationalNumber } = number;
    const cut = (length: number) => `+${countryCallingCode}${nationalNumber.slice(0, length)}`;
    const own = await usualLength(country);
    if (own !== undefined && nationalNumber.length <= own) return number.number;

    // Shortest first.
    const valid = Array.from({ length: Math.max(0, nationalNumber.length - 3) }, (_, index) => cut(index + 4))
      .map((candidate) => parsePhoneNumberFromString(candidate, { extract: false }))
      .filter((candidate) => candidate?.isValid() === true) as PhoneNumber[];
    const longest = valid.at(-1);
    const least = (await usualLength(longest?.country ?? countryOf(number))) ?? nationalNumber.length;
    const chosen = valid.find((candidate) => candidate.nationalNumber.length >= least) ?? longest;
    return chosen?.number ?? cut(least);
  }

  return {
    async load() {
      await Promise.all([tables(), usualLength('US')]);
    },

    countedNumber,

    async isPossible(e164Number) {
      return (await parse(e164Number))?.isPossible() ?? false;
    },

    async refusal(e164Number) {
      const number = await parse(e164Number);
      if (await isPremiumRate(e164Number)) return 'premium_rate';
      if (countries.length === 0) return null;
      const country = number === undefined ? undefined : countryOf(number);
      return country !== undefined && countries.includes(country) ? null : 'country';
    },
  };
}

// Countries that share a calling code are told apart by what follows it. What belongs to none of them, such as the
// numbers that are kept for fiction, counts for the first, whose plan it is (`US` for +1, `GB` for +44).
function countryOf(number: PhoneNumber): string | undefined {
  return number.country ?? number.getPossibleCountries()[0];
}
