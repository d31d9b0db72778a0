import { createHash } from 'node:crypto';
import t from 'tap';
import { createApiKeys, endOfDay, hashApiKey, makeApiKey, parseApiKeyEntry } from '../../src/verifications/api-keys.ts';
import { seededRandom } from '../support/build-app.ts';

const entryOf = (text: string) => {
  const entry = parseApiKeyEntry(text);
  if (entry === null) throw new Error(`no entry: ${text}`);
  return entry;
};

t.test('a key is 256 random bits, and its entry their hash', async (t) => {
  const { key, entry } = makeApiKey('shop', seededRandom());
  t.match(key, /^dk_[\w-]{43}$/);
  t.equal(entry, `shop:${createHash('sha256').update(key).digest('hex')}`);
  t.equal(makeApiKey('shop', seededRandom(), '2026-12-31').entry, `${entry}:2026-12-31`);
});

t.test('the key that an entry is for is known by its name', async (t) => {
  const { key, entry } = makeApiKey('shop', seededRandom('a'));
  const other = makeApiKey('other', seededRandom('b'));
  const keys = createApiKeys([entryOf(other.entry), entryOf(entry)]);
  t.equal(keys.nameOf(`Bearer ${key}`, 0), 'shop');
  t.equal(keys.nameOf(`bearer  ${key}`, 0), 'shop', 'schemes have no case');
  t.equal(keys.nameOf(`Bearer ${other.key}`, 0), 'other');
});

t.test('anything else is nobody', async (t) => {
  const { key, entry } = makeApiKey('shop', seededRandom());
  const keys = createApiKeys([entryOf(entry), { ...entryOf(entry), name: 'empty', sha256: hashApiKey('') }]);
  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    key,
    `Basic ${key}`,
    `Bearer ${key}x`,
    `Bearer ${key.toUpperCase()}`,
    `Bearer ${key} x`,
    `Bearer ${key}, Bearer ${key}`,
    `Bearer ${'x'.repeat(10_000)}`,
  ]) {
    t.equal(keys.nameOf(header, 0), null, String(header).slice(0, 40));
  }
  t.equal(createApiKeys([]).nameOf(`Bearer ${key}`, 0), null);
});

t.test('a key is good until its last day is over', async (t) => {
  const { key, entry } = makeApiKey('shop', seededRandom(), '2026-12-31');
  const keys = createApiKeys([entryOf(entry)]);
  t.equal(keys.nameOf(`Bearer ${key}`, Date.parse('2026-12-31T23:59:59.999Z')), 'shop');
  t.equal(keys.nameOf(`Bearer ${key}`, Date.parse('2027-01-01T00:00:00Z')), null);
});

t.test('days that there are', async (t) => {
  t.equal(endOfDay('2026-12-31'), Date.parse('2027-01-01T00:00:00Z'));
  t.equal(endOfDay('2028-02-29'), Date.parse('2028-03-01T00:00:00Z'));
  for (const day of ['2026-02-29', '2026-02-31', '2026-00-01', 'x']) t.equal(endOfDay(day), null, day);
});
