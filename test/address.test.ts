import t from 'tap';
import { addressKey } from '../src/address.ts';

t.test('IPv4 counts whole, also when it is written as IPv6', async (t) => {
  for (const address of [
    '192.0.2.4',
    '::ffff:192.0.2.4',
    '::ffff:c000:0204',
    '::FFFF:192.0.2.4',
    '0:0:0:0:0:ffff:c000:204',
  ]) {
    t.equal(addressKey(address), '192.0.2.4', address);
  }
});

t.test('IPv6 counts by its first 64 bits', async (t) => {
  const keys = Array.from({ length: 200 }, (_, index) => addressKey(`2001:db8:1:2:${index.toString(16)}::${index}`));
  t.strictSame([...new Set(keys)], ['2001:db8:1:2::/64']);
  t.equal(addressKey('2001:0DB8:0001:0002::1'), '2001:db8:1:2::/64', 'in any spelling');
  t.equal(addressKey('2001:db8:1:3::1'), '2001:db8:1:3::/64');
  t.equal(addressKey('::1'), '0:0:0:0::/64');
  t.equal(addressKey('fe80::1%eth0'), 'fe80:0:0:0::/64', 'the zone is not part of the address');
});

t.test('what is no address has no key', async (t) => {
  for (const text of [
    '',
    'unknown',
    '1.2.3',
    '192.0.2.4.5',
    '192.0.02.4',
    '0xc0.0.2.4',
    '256.1.1.1',
    '192.0.2.4:80',
    ' 192.0.2.4',
    '16909060',
    ':::',
    '2001:db8',
    'g::1',
    'localhost',
  ]) {
    const key = addressKey(text);
    t.ok(key === null || text === `${text} is ${key}`);
  }
});
