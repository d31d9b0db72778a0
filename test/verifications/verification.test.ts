import t from 'tap';
import { draft } from '../../src/challenge/challenge.ts';
import { countableOf, openVerification, parseVerification } from '../../src/verifications/verification.ts';
import { seededRandom } from '../support/build-app.ts';

const NOW = 1_893_456_000;
const fields = {
  key: 'shop',
  phone: '+15550100101',
  locale: 'en',
  channel: 'sms',
  askedAt: NOW,
  test: false,
} as const;
const made = openVerification(draft(seededRandom(), 6), fields, NOW * 1000 + 1, 60);

t.test('its life begins when the message is accepted, rounded up', async (t) => {
  t.match(made, { typ: 'verification', iat: NOW + 1, exp: NOW + 61, ...fields });
});

t.test('it can be read back while its code lives or it may be resent', async (t) => {
  const read = (seconds: number, ttl = 600) => parseVerification(made, (NOW + seconds) * 1000, ttl);
  t.strictSame(read(1), made);
  t.strictSame(read(599), made);
  t.equal(read(600), null);
  t.strictSame(read(60, 10), made, 'the code outlives the time for resending');
  t.equal(read(61, 10), null);
  t.equal(read(-5), null, 'from the future');
});

t.test('whatever is amiss in it, it is none', async (t) => {
  for (const [name, value] of [
    ['typ', 'challenge'],
    ['id', 'short'],
    ['key', 'a b'],
    ['key', ''],
    ['phone', '5550100101'],
    ['locale', ''],
    ['channel', 'pigeon'],
    ['secret', 'A'],
    ['iat', 1.5],
    ['exp', '1'],
    ['exp', NOW],
    ['askedAt', NOW + 100],
    ['test', 'no'],
  ] as const) {
    t.equal(parseVerification({ ...made, [name]: value }, NOW * 1000, 600), null, `${name}: ${value}`);
  }
  for (const value of [null, undefined, 1, 'x', [], {}]) t.equal(parseVerification(value, NOW * 1000, 600), null);
});

t.test('counts are kept for a number and the name of a key together', async (t) => {
  const countedNumber = async (phone: string) => `${phone.slice(0, -1)}0`;
  t.strictSame(await countableOf({ countedNumber }, made), { id: made.id, sub: 'shop\n+15550100100' });
});
