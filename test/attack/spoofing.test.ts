import { isIPv4 } from 'node:net';
import t from 'tap';
import { FALSE_HOST, spoofedAddress, spoofedHost } from '../../src/attack/spoofing.ts';

t.test('each address is another one, in every header that names one', async (t) => {
  const addresses = Array.from({ length: 250 }, (_, index) => spoofedAddress(index)['x-forwarded-for'] ?? '');
  t.equal(new Set(addresses).size, 250);
  t.ok(addresses.every(isIPv4));
  t.ok(Object.values(spoofedAddress(7)).every((value) => value.endsWith('203.0.113.8')));
});

t.test('a host that is not ours is in every header but Host', async (t) => {
  t.ok(Object.values(spoofedHost(FALSE_HOST)).every((value) => value === FALSE_HOST));
  t.notOk('host' in spoofedHost(FALSE_HOST));
});
