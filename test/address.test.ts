import t from 'tap';
import { addressKeys } from '../src/address.ts';

const keysOf = (address: string) => addressKeys(address).map(({ key }) => key);

t.test('IPv4 counts whole, also inside an IPv6 address', async (t) => {
  const spellings = {
    'as it is': '192.0.2.4',
    mapped: '::ffff:192.0.2.4',
    'mapped, hexadecimal': '::ffff:c000:0204',
    'mapped, capitals': '::FFFF:192.0.2.4',
    'mapped, long': '0:0:0:0:0:ffff:c000:204',
    'mapped, with a zone': '::ffff:192.0.2.4%eth0',
    compatible: '::192.0.2.4',
    translated: '::ffff:0:192.0.2.4',
    NAT64: '64:ff9b::192.0.2.4',
    'NAT64, hexadecimal': '64:ff9b::c000:204',
    'NAT64 with a local prefix': '64:ff9b:1:abcd:0:5:192.0.2.4',
    '6to4': '2002:c000:204::1',
    '6to4, another host of the same router': '2002:c000:204:77:1:2:3:4',
    Teredo: '2001:0:c000:22d:8000:63bf:3fff:fdfb',
  };
  for (const [name, address] of Object.entries(spellings)) {
    t.strictSame(addressKeys(address), [{ key: '192.0.2.4', factor: 1 }], name);
  }
  const nat64 = Array.from({ length: 100 }, (_, host) => keysOf(`64:ff9b::192.0.2.${host}`).join());
  t.equal(new Set(nat64).size, 100, 'each has its own count');
});

t.test('a local NAT64 address in another format has a key of its own', async (t) => {
  // RFC 6052 §2.4: 192.0.2.33 behind prefixes of 48 and 64 bits.
  const addresses = ['64:ff9b:1:c000:2:2100::', '64:ff9b:1:7:c0:2:2100:0'];
  for (const address of addresses) t.equal(addressKeys(address).length, 1, address);
  t.equal(new Set(addresses.flatMap(keysOf)).size, 2);
});

t.test('IPv6 counts by its first 64, 56 and 48 bits, the wider ones with larger limits', async (t) => {
  t.strictSame(addressKeys('2001:0DB8:0001:a2f3::1'), [
    { key: '2001:db8:1:a2f3::/64', factor: 1 },
    { key: '2001:db8:1:a200::/56', factor: 4 },
    { key: '2001:db8:1::/48', factor: 16 },
  ]);
  const hosts = Array.from({ length: 200 }, (_, index) => `2001:db8:1:2:${index.toString(16)}::${index}`);
  t.strictSame(new Set(hosts.map((address) => keysOf(address).join())).size, 1);
  const networks = Array.from({ length: 300 }, (_, index) => keysOf(`2001:db8:1:${index.toString(16)}::1`));
  t.strictSame(
    [0, 1, 2].map((width) => new Set(networks.map((keys) => keys[width])).size),
    [300, 2, 1],
  );
  t.strictSame(keysOf('::1'), ['0:0:0:0::/64', '0:0:0:0::/56', '0:0:0::/48']);
  t.equal(keysOf('fe80::1%eth0')[0], 'fe80:0:0:0::/64', 'the zone is not part of the address');
  const isatap = keysOf('2001:db8:1:2:0:5efe:192.0.2.4');
  t.equal(isatap[0], '2001:db8:1:2::/64', 'an interface identifier is of the client’s choice');
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
    t.strictSame(addressKeys(text), [], text);
  }
});
