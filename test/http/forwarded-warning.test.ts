import t from 'tap';
import { testApp } from '../support/build-app.ts';

async function appWith(trustProxy: string) {
  const { app, logs } = await testApp({ env: { TRUST_PROXY: trustProxy } });
  const warnings = () => logs.map((line) => JSON.parse(line)).filter(({ level }) => level === 40);
  const request = (remoteAddress: string, headers = {}) => app.inject({ url: '/login', remoteAddress, headers });
  return { warnings, request };
}

t.test(
  'a forwarded address of a peer that is not trusted is reported once per peer, with the address and the setting',
  async (t) => {
    for (const [header, name] of [
      ['x-forwarded-for', 'X-Forwarded-For'],
      ['forwarded', 'Forwarded'],
      ['x-real-ip', 'X-Real-IP'],
    ] as const) {
      for (const trustProxy of ['', 'loopback', '192.0.2.1']) {
        const { warnings, request } = await appWith(trustProxy);
        for (const peer of ['198.51.100.7', '198.51.100.7', '198.51.100.8']) {
          await request(peer, { [header]: 'for=203.0.113.9' });
        }
        t.match(warnings(), [
          { peer: '198.51.100.7', msg: `TRUST_PROXY: ignored ${name} from 198.51.100.7` },
          { peer: '198.51.100.8', msg: `TRUST_PROXY: ignored ${name} from 198.51.100.8` },
        ]);
        t.equal(warnings().length, 2);
      }
    }
  },
);

t.test('a scanner with many addresses cannot fill the log', async (t) => {
  const { warnings, request } = await appWith('');
  for (let host = 1; host <= 30; host += 1) await request(`198.51.100.${host}`, { 'x-forwarded-for': '203.0.113.9' });
  t.equal(warnings().length, 10);
});

t.test('a trusted peer, and a request without such a header, cause no warning', async (t) => {
  const { warnings, request } = await appWith('192.0.2.1');
  await request('192.0.2.1', { 'x-forwarded-for': '203.0.113.9' });
  await request('192.0.2.1', { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' });
  await request('::ffff:192.0.2.1', { 'x-forwarded-for': '203.0.113.9' });
  await request('198.51.100.7');
  await request('127.0.0.1');
  t.strictSame(warnings(), []);
});

t.test('a trusted peer that sends only Forwarded or X-Real-IP is reported, because they are not read', async (t) => {
  for (const [header, name] of [
    ['forwarded', 'Forwarded'],
    ['x-real-ip', 'X-Real-IP'],
  ] as const) {
    const { warnings, request } = await appWith('192.0.2.1');
    await request('192.0.2.1', { [header]: '203.0.113.9' });
    t.match(warnings(), [
      { msg: `ignored ${name} from the trusted address 192.0.2.1; set X-Forwarded-For in your gateway instead` },
    ]);
  }
});

t.test('the warning does not quote what the client sent', async (t) => {
  const { warnings, request } = await appWith('');
  await request('198.51.100.7', { 'x-forwarded-for': 'zebra' });
  t.equal(warnings().length, 1);
  t.notMatch(JSON.stringify(warnings()), 'zebra');
});
