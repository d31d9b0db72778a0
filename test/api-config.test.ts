import t from 'tap';
import { readApi } from '../src/api-config.ts';
import { type Environment, EnvironmentReader } from '../src/environment.ts';

const digest = (digit: string) => digit.repeat(64);

function read(env: Environment, digits = 6) {
  const reader = new EnvironmentReader(env);
  return { ...readApi(reader, digits), faults: reader.faults };
}

t.test('without settings nobody may use the API, and no number is fixed', async (t) => {
  t.strictSame(read({}), { keys: [], testNumbers: new Map(), testNumbersUntilMs: 0, faults: [] });
});

t.test('keys stand in a list, on lines or in a file', async (t) => {
  const folder = t.testdir({ keys: `shop:${digest('a')}\nshop:${digest('b')}:2026-12-31\n` });
  for (const env of [
    { API_KEYS: `shop:${digest('a')},shop:${digest('b')}:2026-12-31` },
    { API_KEYS: `shop:${digest('a')} shop:${digest('b')}:2026-12-31,` },
    { API_KEYS_FILE: `${folder}/keys` },
  ]) {
    const { keys, faults } = read(env);
    t.strictSame(faults, []);
    t.strictSame(keys, [
      { name: 'shop', sha256: Buffer.alloc(32, 0xaa), expiresAtMs: Number.POSITIVE_INFINITY },
      { name: 'shop', sha256: Buffer.alloc(32, 0xbb), expiresAtMs: Date.parse('2027-01-01T00:00:00Z') },
    ]);
  }
});

t.test('a broken entry is told by its place, and not repeated', async (t) => {
  for (const bad of [
    'shop',
    `shop:${digest('a').slice(1)}`,
    `sh op:x`,
    `shop:${digest('a')}:2026-02-30`,
    `:${digest('a')}`,
  ]) {
    const { faults } = read({ API_KEYS: `ok:${digest('c')},${bad}` });
    t.equal(faults.length, 1, bad);
    t.match(faults[0], /^API_KEYS: entry [23] is not/);
    t.notOk(faults[0]?.includes('aaaa'));
  }
  t.match(read({ API_KEYS: `a:${digest('c')},b:${digest('C')}` }).faults, ['API_KEYS: names a key twice']);
});

t.test('test numbers need a last day', async (t) => {
  const TEST_NUMBERS = '+15550100001:123456, +15550100002:000000';
  const { testNumbers, testNumbersUntilMs, faults } = read({ TEST_NUMBERS, TEST_NUMBERS_UNTIL: '2026-12-31' });
  t.strictSame(faults, []);
  t.strictSame(
    [...testNumbers],
    [
      ['+15550100001', '123456'],
      ['+15550100002', '000000'],
    ],
  );
  t.equal(testNumbersUntilMs, Date.parse('2027-01-01T00:00:00Z'));
  t.match(read({ TEST_NUMBERS }).faults, [/^TEST_NUMBERS_UNTIL: is missing/]);
  for (const day of ['tomorrow', '2026-13-01', '2026-02-29', '20261231', '2026-12-31T00:00:00Z']) {
    t.match(read({ TEST_NUMBERS, TEST_NUMBERS_UNTIL: day }).faults, [/^TEST_NUMBERS_UNTIL: must be a day/], day);
  }
});

t.test('a test number has a code as long as all codes are', async (t) => {
  const TEST_NUMBERS_UNTIL = '2026-12-31';
  for (const TEST_NUMBERS of ['+15550100001', '+15550100001:12345', '5550100001:123456', '+15550100001:12345x', 'x']) {
    const { faults } = read({ TEST_NUMBERS, TEST_NUMBERS_UNTIL });
    t.match(faults, [/^TEST_NUMBERS: must list numbers with a code of 6 digits/], TEST_NUMBERS);
    t.equal(faults.length, 1);
  }
  t.strictSame(read({ TEST_NUMBERS: '+15550100001:12345678', TEST_NUMBERS_UNTIL }, 8).faults, []);
});

t.test('names that counts would take for one are refused', async (t) => {
  t.match(read({ API_KEYS: `shop:${digest('a')},Shop:${digest('b')}` }).faults, [/^API_KEYS: has names that differ/]);
  t.strictSame(read({ API_KEYS: `shop:${digest('a')},shop:${digest('b')},bank:${digest('c')}` }).faults, []);
});

t.test('a test number has one code', async (t) => {
  const env = { TEST_NUMBERS: '+15550100001:123456,+15550100001:654321', TEST_NUMBERS_UNTIL: '2026-12-31' };
  t.strictSame(read(env).faults, ['TEST_NUMBERS: names a number twice']);
});
