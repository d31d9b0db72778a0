import { createLocalJWKSet, jwtVerify } from 'jose';
import t from 'tap';
import { createAssertions } from '../../src/gateway/assertion.ts';
import { ALICE, BROWSER, CookieJar, testApp } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

const PATH = '/.well-known/jwks.json';
const ISSUER = 'https://login.example.com';
const AUDIENCE = 'inbox';
const SEEDS = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

const withKeys = async () => {
  const clock = fakeClock();
  const assertions = createAssertions({ keys: SEEDS, issuer: ISSUER, audience: [AUDIENCE], clock });
  return { ...(await testApp({ clock, ports: { assertions } })), assertions };
};

t.test('the keys by which anyone can check an assertion are there for anybody, for five minutes', async (t) => {
  const { get, assertions, clock } = await withKeys();
  for (const headers of [{}, { accept: 'application/json, application/jwk-set+json' }, BROWSER]) {
    const response = await get(PATH, undefined, headers);
    t.equal(response.statusCode, 200);
    t.equal(response.headers['content-type'], 'application/json; charset=utf-8');
    t.equal(response.headers['cache-control'], 'public, max-age=300');
    t.equal(response.headers['set-cookie'], undefined);
    t.strictSame(response.json(), assertions.jwks());
    const token = await assertions.sign({ sub: 'alice', amr: ['pwd'], authTime: 1 });
    const { payload } = await jwtVerify(token, createLocalJWKSet(response.json()), {
      issuer: ISSUER,
      audience: AUDIENCE,
      currentDate: new Date(clock()),
    });
    t.equal(payload.sub, 'alice');
  }
});

t.test('nothing of the private keys is told', async (t) => {
  const { get, logs } = await withKeys();
  const told = [(await get(PATH)).body, ...logs].join('\n');
  for (const seed of SEEDS) {
    for (const form of ['hex', 'base64', 'base64url'] as const) t.notOk(told.includes(seed.toString(form)));
  }
  t.notMatch(told, '"d":');
});

t.test('only to look at', async (t) => {
  const { app, post } = await withKeys();
  t.equal((await app.inject({ method: 'HEAD', url: PATH })).statusCode, 200);
  t.match((await post(PATH, {})).json(), { status: 405, code: 'method_not_allowed' });
});

t.test('where nothing is signed there are no keys', async (t) => {
  const { get } = await testApp();
  const response = await get(PATH);
  t.match(response.json(), { status: 404, code: 'not_found' });
  t.equal(response.headers['cache-control'], 'no-store');
});

const TOLD = ['remote-user', 'remote-amr', 'x-doorcode-assertion'] as const;
const NOBODY = { 'remote-user': '', 'remote-amr': '', 'x-doorcode-assertion': '' };

const signedIn = async (options: Parameters<typeof testApp>[0] = {}) => {
  const clock = fakeClock();
  const assertions = createAssertions({ keys: SEEDS, issuer: ISSUER, audience: [AUDIENCE], clock });
  const service = await testApp({ clock, ...options, ports: { assertions, ...options.ports } });
  const { jar, code } = await service.login(options.users?.[0]);
  await service.post('/otp', { otp: code }, jar);
  return { ...service, jar, assertions };
};

for (const path of ['/auth', '/auth/redirect']) {
  t.test(`${path} tells who is there, and signs it`, async (t) => {
    const { get, jar, assertions, clock } = await signedIn();
    for (const headers of [{}, BROWSER]) {
      const response = await get(path, jar, headers);
      t.equal(response.statusCode, 200);
      t.strictSame(response.json(), { status: 'authenticated' });
      t.match(response.headers, { 'remote-user': 'alice', 'remote-amr': 'pwd otp sms', 'cache-control': 'no-store' });
      const { payload } = await jwtVerify(
        String(response.headers['x-doorcode-assertion']),
        createLocalJWKSet({ keys: [...assertions.jwks().keys] }),
        { issuer: ISSUER, audience: AUDIENCE, currentDate: new Date(clock()) },
      );
      t.match(payload, { sub: 'alice', amr: ['pwd', 'otp', 'sms'], auth_time: clock() / 1000 });
      t.equal(Number(payload.exp) - clock() / 1000, 60);
    }
  });

  t.test(`${path} says 401 and nothing of anybody to everyone else, whatever they send`, async (t) => {
    const { login, get, post } = await testApp();
    const { jar: challenge, code } = await login();
    const renamed = new CookieJar();
    renamed.cookies.set('doorcode-session', challenge.cookies.get('doorcode-challenge') ?? '');
    const revoked = challenge.clone();
    await post('/otp', { otp: code }, revoked);
    const copy = revoked.clone();
    await post('/logout', {}, revoked);
    const forged = { 'remote-user': 'alice', 'remote-amr': 'pwd', 'x-doorcode-assertion': 'x', remote_user: 'alice' };
    for (const [name, jar] of Object.entries({ none: undefined, challenge, renamed, copy })) {
      const response = await get(path, jar, forged);
      t.match(response.json(), { status: 401, code: 'not_authenticated' }, name);
      t.match(response.headers, { ...NOBODY, 'content-type': 'application/problem+json' }, name);
      t.notOk('x-doorcode-login' in response.headers);
    }
  });

  t.test(`${path} without a key says who is there, unsigned`, async (t) => {
    const { get, jar } = await signedIn({ ports: { assertions: undefined } });
    const forged = { 'remote-user': 'admin', remote_user: 'admin', 'x-doorcode-assertion': 'x' };
    for (const headers of [{}, forged]) {
      t.match((await get(path, jar, headers)).headers, { 'remote-user': 'alice', 'x-doorcode-assertion': '' });
    }
  });

  t.test(`${path} writes every name so that a header can hold it`, async (t) => {
    const zoe = { ...ALICE, username: 'zoë, 李' };
    const { get, jar } = await signedIn({ users: [zoe] });
    const { headers } = await get(path, jar);
    t.equal(headers['remote-user'], 'zo%C3%AB%2C%20%E6%9D%8E');
    t.equal(decodeURIComponent(String(headers['remote-user'])), zoe.username);
  });
}

t.test('gateways of both kinds learn where a browser is to go', async (t) => {
  const { get } = await testApp({
    env: { ORIGIN: ISSUER, ALLOWED_RETURN_ORIGINS: 'https://app.example.com', TRUST_PROXY: 'loopback' },
  });
  const headers = {
    ...BROWSER,
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'app.example.com',
    'x-forwarded-uri': '/inbox?a=1&b=2',
  };
  const link = `${ISSUER}/login?next=${encodeURIComponent('https://app.example.com/inbox?a=1&b=2')}`;
  t.match(await get('/auth', undefined, headers), {
    statusCode: 401,
    headers: { ...NOBODY, 'x-doorcode-login': link },
  });
  t.match(await get('/auth/redirect', undefined, headers), { statusCode: 303, headers: { ...NOBODY, location: link } });
});

t.test('what fails lets nobody in, and names nobody', async (t) => {
  const assertions = {
    sign: async () => {
      throw new Error('no signature');
    },
    jwks: () => ({ keys: [] }),
  };
  const { get, jar } = await signedIn({ ports: { assertions } });
  const response = await get('/auth', jar);
  t.match(response, { statusCode: 500, headers: NOBODY });
});

t.test('an assertion lives no longer than its session', async (t) => {
  const { get, jar, clock } = await signedIn({ env: { SESSION_TTL: '100' } });
  const expOf = async () => {
    const token = String((await get('/auth', jar)).headers['x-doorcode-assertion']);
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).exp - clock() / 1000;
  };
  t.equal(await expOf(), 60);
  clock.advance(29);
  t.equal(await expOf(), 31, 'the same again');
  clock.advance(41);
  t.equal(await expOf(), 30);
  clock.advance(30);
  const over = await get('/auth', jar);
  t.equal(over.statusCode, 401);
  for (const name of TOLD) t.equal(over.headers[name], '');
});

t.test('`rd` is another word for `next`, and goes by its rules', async (t) => {
  const { get, jar } = await signedIn({ env: { ALLOWED_RETURN_ORIGINS: 'https://app.example.com' } });
  const cases = {
    'rd=/x': '/x',
    'rd=https://app.example.com/x': 'https://app.example.com/x',
    'rd=//evil.example': '/',
    'rd=/%5Cevil.example': '/',
    'rd=https:evil.example': '/',
    'rd=/%09/evil.example': '/',
    'rd=https://app.example.com@evil.example': '/',
    'rd=/%00': '/',
    'rd=javascript:1': '/',
    'rd=/a&rd=/b': '/',
    'rd=/%256cogin': '/%6cogin',
    'next=/y&rd=/x': '/y',
  };
  for (const [query, to] of Object.entries(cases)) {
    t.match(await get(`/login?${query}`, jar), { statusCode: 303, headers: { location: to } }, query);
  }
});

t.test('no URL that a header claims opens a door', async (t) => {
  const { get } = await testApp({ env: { TRUST_PROXY: 'loopback' } });
  for (const url of ['/\0', '/%00', 'https://app.example.com/\0', '%', '//', '', '/\r\nx: y', '\ud800']) {
    for (const name of ['x-original-url', 'x-forwarded-uri', 'x-rewrite-url']) {
      const headers = { [name]: url, 'x-forwarded-for': '203.0.113.1', 'x-forwarded-host': 'app.example.com' };
      const label = JSON.stringify({ [name]: url });
      for (const path of ['/auth', '/auth/redirect']) {
        t.match(await get(path, undefined, headers), { statusCode: 401, headers: NOBODY }, label);
      }
      t.equal((await get('/session', undefined, headers)).statusCode, 401, label);
      t.equal((await get('/', undefined, headers)).headers['location'], '/login', label);
      const browser = await get('/auth/redirect', undefined, { ...BROWSER, ...headers });
      t.match(browser, { statusCode: 303, headers: NOBODY }, label);
      t.match(String(browser.headers['location']), /^http:\/\/127\.0\.0\.1:\d+\/login\?next=/, label);
    }
  }
});
