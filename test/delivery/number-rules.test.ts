import examples from 'libphonenumber-js/examples.mobile';
import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max';
import t from 'tap';
import { createNumberRules } from '../../src/delivery/number-rules.ts';

t.test('without a list every country is sent to', async (t) => {
  const rules = createNumberRules([]);
  for (const number of ['+15550100101', '+447700900101', '+4915112345678', '+18765550123', '+882161234567']) {
    t.equal(await rules.refusal(number), null, number);
  }
});

t.test('with a list only those on it', async (t) => {
  const rules = createNumberRules(['US', 'GB']);
  for (const [number, refusal] of [
    ['+15550100101', null], // for fiction, of no area
    ['+12125550101', null],
    ['+447700900101', null], // for fiction
    ['+14165550101', 'country'], // Canada shares +1
    ['+18765550123', 'country'], // so does Jamaica
    ['+4915112345678', 'country'],
    ['+882161234567', 'country'], // of no country at all
    ['+123', 'country'], // no number
  ] as const) {
    t.equal(await rules.refusal(number), refusal, number);
  }
});

t.test('countries that share a calling code are told apart', async (t) => {
  t.equal(await createNumberRules(['KZ']).refusal('+77012345678'), null);
  t.equal(await createNumberRules(['RU']).refusal('+77012345678'), 'country');
});

t.test('premium-rate numbers are refused, on the list or not', async (t) => {
  for (const number of ['+19005550100', '+449098790000', '+33899123456']) {
    t.equal(await createNumberRules([]).refusal(number), 'premium_rate', number);
    t.equal(await createNumberRules(['US', 'GB', 'FR']).refusal(number), 'premium_rate', number);
  }
  for (const overdialled of ['+4990012345678', '+49900123456789']) {
    t.equal(await createNumberRules(['DE']).refusal(overdialled), 'premium_rate', overdialled);
  }
  t.equal(await createNumberRules([]).refusal('+18005550199'), null, 'toll-free is not premium-rate');
});

t.test('spellings that reach one phone are counted as one number', async (t) => {
  const { countedNumber } = createNumberRules([]);
  const same: Record<string, readonly string[]> = {
    '+4915112345678': ['+49015112345678', '+491511234567800', '+4915112345678123'],
    '+491711234567': ['+4917112345678', '+49171123456789', '+4901711234567'],
    '+43664123456': ['+436641234567', '+4366412345678', '+43664123456789'],
    '+447700900177': ['+4407700900177'],
    '+33639980001': ['+330639980001'],
    '+5491123450177': ['+54111523450177'],
    '+493012345678': ['+4930123456789'],
  };
  for (const [number, spellings] of Object.entries(same)) {
    for (const spelling of [number, ...spellings]) t.equal(await countedNumber(spelling), number, spelling);
  }
  for (const number of [
    '+15550100101',
    '+15550100102',
    '+541123450177',
    '+393123456789',
    '+390612345678',
    '+821012345678',
    '+821012345679',
    '+882161234567',
    '+123',
    '+1',
  ]) {
    t.equal(await countedNumber(number), number, 'another number stays another one');
  }
});

t.test('digits after a complete mobile number make no other number, in any country', async (t) => {
  const { countedNumber, isPossible } = createNumberRules([]);
  const faults: string[] = [];
  for (const country of getCountries()) {
    const example = examples[country];
    // Gabon's numbers were extended by a digit in 2019; the library takes the old example for a part of new numbers.
    if (example === undefined || country === 'GA') continue;
    const number = `+${getCountryCallingCode(country)}${example}`;
    for (const digits of ['', '1', '9', '12', '90', '123', '987']) {
      const dialled = number + digits;
      if (dialled.length > 16) continue;
      // Other spellings are refused before they are counted.
      if ((await isPossible(dialled)) && (await countedNumber(dialled)) !== number)
        faults.push(`${country} ${dialled}`);
    }
  }
  t.strictSame(faults, []);
});
