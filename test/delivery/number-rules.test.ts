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
