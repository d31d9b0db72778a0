import t from 'tap';
import { isFields, toUser, userFaults } from '../../src/users/user-fields.ts';

const valid = { username: 'bob', phone: '+15550100101' };

t.test('only a JSON object has fields', async (t) => {
  t.ok(isFields({}));
  for (const other of [null, undefined, [], 'x', 1, true]) t.notOk(isFields(other), JSON.stringify(other));
});

t.test('fields of a user have no faults', async (t) => {
  for (const fields of [
    valid,
    { ...valid, username: 'x' },
    { ...valid, username: 'x'.repeat(256) },
    { ...valid, username: 'ｂｏｂ Ångström 🔑' },
    { ...valid, phone: '+1234567' },
    { ...valid, phone: '+123456789012345' },
    { ...valid, locale: 'de' },
    { ...valid, locale: 'pt-BR' },
    { ...valid, locale: 'zh-Hant-TW' },
    { ...valid, locale: undefined },
    { ...valid, department: 'sales' },
  ]) {
    t.same(userFaults(fields), [], JSON.stringify(fields));
  }
});

t.test('a wrong field is told by its name, without its value', async (t) => {
  for (const [field, values] of [
    ['username', [undefined, null, 1, '', 'x'.repeat(257), 'a\0b', 'a\nb', 'a\u007fb', 'a\u0085b', '\ud800', ['bob']]],
    [
      'phone',
      [undefined, null, 15550100101, '', '15550100101', '+05550100101', '+155501', '+1234567890123456'].concat(
        ...['+1 555 010 0101', '+15550100101\n', '+1555010010x', '++15550100101', '+１２３４５６７８'],
      ),
    ],
    ['locale', [null, 1, '', 'de_DE', 'english language', 'x', 'de-', `de-x-${'a-'.repeat(20)}a`, ['de']]],
  ] as const) {
    for (const value of values) {
      const faults = userFaults({ ...valid, [field]: value });
      t.equal(faults.length, 1, `${field}: ${JSON.stringify(value)}`);
      t.match(faults[0], new RegExp(`^${field} must be `));
    }
  }
});

t.test('all wrong fields are told together', async (t) => {
  t.same(
    userFaults({ locale: 7 }).map((fault) => fault.split(' ')[0]),
    ['username', 'phone', 'locale'],
  );
});

t.test('a user has the fields of a user and no others', async (t) => {
  t.strictSame(toUser({ ...valid, locale: 'de', passwordHash: 'x' }), { ...valid, locale: 'de' });
  t.strictSame(toUser({ ...valid, locale: undefined }), valid);
  t.notOk('locale' in toUser(valid));
});
