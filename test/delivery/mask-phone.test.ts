import { getCountries, getCountryCallingCode, getExampleNumber } from 'libphonenumber-js/min';
import examples from 'libphonenumber-js/mobile/examples';
import t from 'tap';
import { maskPhone } from '../../src/delivery/mask-phone.ts';
import { parsePhone } from '../../src/delivery/phone.ts';

t.test('a masked number shows the calling code and the last two digits', async (t) => {
  for (const [e164, masked] of [
    ['+15550100101', '+1 ••• ••• ••01'],
    ['+447700900101', '+44 •••• ••••01'],
    ['+33612345678', '+33 •••• •••78'],
    ['+8613812345678', '+86 •••• •••••78'],
    ['+79000000099', '+7 •••• ••••99'],
    ['+3544101234', '+354 •••• •34'],
    ['+6834123', '+683 ••23'],
    ['+499999', '+49 ••99'],
    ['+1555010012345', '+1 •••• ••••••45'],
  ] as const) {
    t.equal(maskPhone(e164), masked);
  }
});

t.test('of what is no number nothing is shown', async (t) => {
  for (const garbage of [
    '',
    '+',
    'demo',
    '15550100101',
    '+0555010010',
    '+12345',
    '+1234567890123456',
    '+1555x100101',
  ]) {
    t.equal(maskPhone(garbage), '••••••••', garbage);
  }
  t.equal(maskPhone('+15550100101\n'), '••••••••');
});

t.test('the calling code is found for every country that there is', async (t) => {
  for (const country of getCountries()) {
    const example = getExampleNumber(country, examples)?.number ?? '';
    const [code, ...groups] = maskPhone(example).split(' ');
    t.equal(code, `+${getCountryCallingCode(country)}`, country);
    t.match(groups.join(''), /^•+\d\d$/, country);
    t.equal(parsePhone(example), example, country);
  }
});
