import t from 'tap';
import { createTrust, isOwnRequest } from '../../src/http/trusted-peers.ts';

t.test('an address is trusted by itself, by its network, or by the name of its network', async (t) => {
  const isTrusted = createTrust(['192.0.2.1', '198.51.100.0/24', '2001:db8::/32', 'loopback']);
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '198.51.100.9', '2001:db8::9', '127.0.0.1', '::1']) {
    t.equal(isTrusted(address), true, address);
  }
  for (const address of ['192.0.2.2', '203.0.113.1', '3fff::1', '', 'gateway', '127.0.0.1:80']) {
    t.equal(isTrusted(address), false, address);
  }
});

t.test('without an entry no address is trusted, and a wrong entry is an error', async (t) => {
  t.equal(createTrust([])('127.0.0.1'), false);
  t.throws(() => createTrust(['gateway']), TypeError);
});

t.test('a request that is forwarded for a client is not the own request of its sender', async (t) => {
  const isTrusted = createTrust(['192.0.2.1']);
  const own = (remoteAddress: string | undefined, headers = {}) =>
    isOwnRequest({ headers, socket: { remoteAddress } } as Parameters<typeof isOwnRequest>[0], isTrusted);
  t.equal(own('192.0.2.1', { host: 'login.example.com', 'user-agent': 'HAProxy' }), true);
  t.equal(own('::1'), true);
  t.equal(own('192.0.2.2'), false);
  t.equal(own(undefined), false);
  for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip', 'x-client-ip']) {
    t.equal(own('192.0.2.1', { [name]: 'x' }), false, name);
  }
});
