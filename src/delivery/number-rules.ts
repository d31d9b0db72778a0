import type { PhoneNumber } from 'libphonenumber-js/max';

/** Why a number gets no messages: not on the list of countries, or one that its owner is paid for by the call. */
export type NumberRefusal = 'country' | 'premium_rate';

export interface NumberRules {
  /** @param e164Number E.164 */
  refusal(e164Number: string): Promise<NumberRefusal | null>;
  /** Whether it has a length that numbers of its country have. @param e164Number E.164 */
  isPossible(e164Number: string): Promise<boolean>;
  /** Loads what the rules stand in, which the first question does else. */
  load(): Promise<void>;
}

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

  return {
    async load() {
      await tables();
    },

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
