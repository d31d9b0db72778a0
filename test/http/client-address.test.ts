import t from 'tap';
import { clientAddress } from '../../src/http/client-address.ts';
import { testApp } from '../support/build-app.ts';

async function addressOf(trusted: string, forwarded: string): Promise<string> {
  const { app } = await testApp({ env: trusted === '' ? {} : { TRUST_PROXY: trusted } });
  app.get('/address', async (request) => ({ address: clientAddress(request) }));
  const headers = forwarded === '' ? {} : { 'x-forwarded-for': forwarded };
  return (await app.inject({ url: '/address', headers, remoteAddress: '192.0.2.1' })).json().address;
}

t.test('a request is counted by who connected, or by what trusted proxies say of that', async (t) => {
  const table: [string, string, string][] = [
    ['', '', '192.0.2.1'],
    ['', '203.0.113.7', '192.0.2.1'],
    ['198.51.100.1', '203.0.113.7', '192.0.2.1'],
    ['192.0.2.0/24', '', '192.0.2.1'],
    ['192.0.2.0/24', '203.0.113.7', '203.0.113.7'],
    ['192.0.2.0/24', '2001:db8::1', '2001:db8::1'],
    // Only the last is by our own proxy; the client wrote the rest.
    ['192.0.2.0/24', '198.51.100.9, 203.0.113.7', '203.0.113.7'],
    ['192.0.2.0/24', 'rubbish, 203.0.113.7', '203.0.113.7'],
    ['192.0.2.0/24', '198.51.100.9, 192.0.2.2', '198.51.100.9'],
  ];
  for (const [trusted, forwarded, address] of table) {
    t.equal(await addressOf(trusted, forwarded), address, `${trusted || 'nobody'} trusted: ${forwarded}`);
  }
});

t.test('a port behind the address does not count', async (t) => {
  t.equal(await addressOf('192.0.2.0/24', '203.0.113.7:1234'), '203.0.113.7');
  t.equal(await addressOf('192.0.2.0/24', '[2001:db8::1]:1234'), '2001:db8::1');
  t.equal(await addressOf('192.0.2.0/24', '[2001:db8::1]'), '2001:db8::1');
});

t.test('what a proxy passes on that is no address does not become a name to count by', async (t) => {
  for (const forwarded of [
    'rubbish',
    'unknown',
    '203.0.113.7:port',
    '[2001:db8::1',
    '[rubbish]:80',
    '203.0.113.256:80',
    '203.0.113.256',
    ' ',
    ',',
    'a'.repeat(8000),
  ]) {
    t.equal(await addressOf('192.0.2.0/24', forwarded), '192.0.2.1', forwarded.slice(0, 40));
  }
});

t.test('a connection without an address is counted, too', async (t) => {
  const request = { ip: '', socket: { remoteAddress: undefined } } as never;
  t.equal(clientAddress(request), '');
});

t.test('a Connection header of the client takes nothing away', async (t) => {
  const { app } = await testApp({ env: { TRUST_PROXY: '192.0.2.0/24' } });
  app.get('/address', async (request) => ({ address: clientAddress(request) }));
  const headers = { 'x-forwarded-for': '203.0.113.7', connection: 'X-Forwarded-For, Remote-User, Cookie' };
  const response = await app.inject({ url: '/address', headers, remoteAddress: '192.0.2.1' });
  t.strictSame(response.json(), { address: '203.0.113.7' });
});
