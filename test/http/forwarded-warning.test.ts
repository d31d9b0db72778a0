import t from 'tap';
import { testApp } from '../support/build-app.ts';

async function appWith(trustProxy: string) {
  const { app, logs } = await testApp({ env: { TRUST_PROXY: trustProxy } });
  const warnings = () => logs.map((line) => JSON.parse(line)).filter(({ level }) => level === 40);
  const request = (remoteAddress: string, headers = {}) => app.inject({ url: '/login', remoteAddress, headers });
  return { warnings, request };
}

t.test(
  'a forwarded address of a peer that is not trusted is reported once, with the address and the setting',
  async (t) => {
    for (const [header, name] of [
      ['x-forwarded-for', 'X-Forwarded-For'],
      ['forwarded', 'Forwarded'],
    ] as const) {
      for (const trustProxy of ['', 'loopback', '192.0.2.1']) {
        const { warnings, request } = await appWith(trustProxy);
        for (const peer of ['198.51.100.7', '198.51.100.7', '198.51.100.8']) {
          await request(peer, { [header]: 'for=203.0.113.9' });
        }
        t.match(warnings(), [{ peer: '198.51.100.7', msg: `TRUST_PROXY: ignored ${name} from 198.51.100.7` }]);
        t.equal(warnings().length, 1);
      }
    }
  },
);

t.test('a trusted peer, and a request without such a header, cause no warning', async (t) => {
  const { warnings, request } = await appWith('192.0.2.1');
  await request('192.0.2.1', { 'x-forwarded-for': '203.0.113.9' });
  await request('192.0.2.1', { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' });
  await request('::ffff:192.0.2.1', { 'x-forwarded-for': '203.0.113.9' });
  await request('198.51.100.7');
  await request('127.0.0.1');
  t.strictSame(warnings(), []);
});

t.test('a trusted peer that sends Forwarded only is reported, because that header is not read', async (t) => {
  const { warnings, request } = await appWith('192.0.2.1');
  await request('192.0.2.1', { forwarded: 'for=203.0.113.9' });
  t.match(warnings(), [{ msg: /ignored Forwarded from the trusted address 192\.0\.2\.1; set X-Forwarded-For/ }]);
});

t.test('the warning does not quote what the client sent', async (t) => {
  const { warnings, request } = await appWith('');
  await request('198.51.100.7', { 'x-forwarded-for': 'zebra' });
  t.equal(warnings().length, 1);
  t.notMatch(JSON.stringify(warnings()), 'zebra');
});
