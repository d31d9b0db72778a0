import { decodeJwt } from 'jose';
import t from 'tap';
import { createAssertions } from '../../src/gateway/assertion.ts';
import { testApp } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

const ORIGIN = 'https://login.example.com';
const ENV = { ORIGIN, COOKIE_DOMAIN: 'example.com', TRUST_PROXY: 'loopback' };
const FORWARDED = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' };

/** Signs in and returns the `aud` of the assertion that a gateway gets, by the headers that it sends. */
const audienceWith = async (env: Record<string, string>) => {
  const clock = fakeClock();
  const audience = env['ASSERTION_AUDIENCE']?.split(',') ?? [ORIGIN];
  const assertions = createAssertions({ keys: [Buffer.alloc(32, 1)], issuer: ORIGIN, audience, clock });
  const { get, login, post } = await testApp({ clock, env, ports: { assertions } });
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  return async (headers: Record<string, string>, path = '/auth') => {
    const response = await get(path, jar, headers);
    return decodeJwt(String(response.headers['x-doorcode-assertion'])).aud;
  };
};
const from = (host: string, more: Record<string, string> = {}) => ({ ...FORWARDED, 'x-forwarded-host': host, ...more });

t.test('an assertion is for the app that the gateway asks about, and for no other', async (t) => {
  const audience = await audienceWith(ENV);
  for (const path of ['/auth', '/auth/redirect']) {
    t.equal(await audience(from('one.example.com'), path), 'https://one.example.com');
    t.equal(await audience(from('two.example.com'), path), 'https://two.example.com');
  }
  t.equal(await audience(from('ONE.example.com:443')), 'https://one.example.com');
  t.equal(await audience(from('one.example.com:8443')), 'https://one.example.com:8443');
  t.equal(await audience(from('example.com')), 'https://example.com');
  t.equal(await audience(from('login.example.com')), ORIGIN);
  t.equal(await audience({ ...FORWARDED, host: 'one.example.com' }), 'https://one.example.com', 'Envoy keeps Host');
});

t.test('the scheme is https where the session cookie is Secure, whatever a chain of proxies reports', async (t) => {
  const audience = await audienceWith(ENV);
  for (const proto of ['http', 'https, http', 'http, https', 'HTTPS', '', 'javascript'])
    t.equal(await audience(from('one.example.com', { 'x-forwarded-proto': proto })), 'https://one.example.com', proto);
  const http = await audienceWith({ ...ENV, ORIGIN: 'http://login.example.com' });
  t.equal(await http(from('one.example.com', { 'x-forwarded-proto': 'http' })), 'http://one.example.com');
  t.equal(
    await http({ 'x-forwarded-for': '192.0.2.1', 'x-forwarded-host': 'one.example.com' }),
    'http://one.example.com',
  );
});

t.test('an app that only ALLOWED_RETURN_ORIGINS knows has its own audience as well', async (t) => {
  const { COOKIE_DOMAIN: _, ...env } = ENV;
  const audience = await audienceWith({ ...env, ALLOWED_RETURN_ORIGINS: 'https://app.example.org' });
  t.equal(await audience(from('app.example.org')), 'https://app.example.org');
  t.equal(await audience(from('app.example.org', { 'x-forwarded-proto': 'http' })), 'https://app.example.org');
  t.equal(await audience(from('login.example.com:8443')), 'https://login.example.com:8443', 'the same host');
  t.equal(await audience(from('other.example.com')), ORIGIN, 'a host that no cookie of ours reaches');
});

t.test('an unknown, foreign or malformed host gets the audience ORIGIN', async (t) => {
  const audience = await audienceWith(ENV);
  const hosts = [
    ...['evil.example', 'example.com.evil.example', 'badexample.com', 'user@one.example.com', 'one.example.com/x'],
    ...[
      'one.example.com#',
      '[',
      '',
      '*.example.com',
      `${'a'.repeat(300)}.example.com`,
      'one.example.com, evil.example',
    ],
  ];
  for (const host of hosts) t.equal(await audience(from(host)), ORIGIN, host);
});

t.test('of several forwarded hosts only the one that the peer wrote counts', async (t) => {
  const audience = await audienceWith(ENV);
  t.equal(await audience(from('two.example.com, one.example.com')), 'https://one.example.com');
});

t.test('a client cannot choose the audience', async (t) => {
  for (const TRUST_PROXY of ['', '192.0.2.0/24']) {
    const audience = await audienceWith({ ...ENV, TRUST_PROXY });
    t.equal(await audience(from('two.example.com')), ORIGIN, `TRUST_PROXY=${TRUST_PROXY}`);
  }
  const audience = await audienceWith(ENV);
  t.equal(await audience({ 'x-forwarded-host': 'two.example.com' }), ORIGIN, 'a gateway that names no client');
});

t.test('international names are punycode', async (t) => {
  const audience = await audienceWith({ ...ENV, ALLOWED_RETURN_ORIGINS: 'https://bücher.example' });
  for (const host of ['xn--bcher-kva.example', Buffer.from('bücher.example').toString('latin1')])
    t.equal(await audience(from(host)), 'https://xn--bcher-kva.example', host);
});

t.test('with ASSERTION_AUDIENCE every assertion has that audience', async (t) => {
  const audience = await audienceWith({ ...ENV, ASSERTION_AUDIENCE: 'inbox,wiki' });
  t.strictSame(await audience(from('one.example.com')), ['inbox', 'wiki']);
});
