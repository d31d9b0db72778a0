import type { LightMyRequestResponse } from 'fastify';
import t, { type Test } from 'tap';
import { BROWSER, CookieJar, PASSWORD, type TestApp, testApp } from './support/build-app.ts';

const HTTPS = { ORIGIN: 'https://login.example.com' };

/** The cookies that an answer sets: name, value and attributes as they stand in the header. */
function setCookies(response: LightMyRequestResponse): Record<string, { value: string; attributes: string[] }> {
  const lines = [response.headers['set-cookie'] ?? []].flat();
  return Object.fromEntries(
    lines.map((line) => {
      const [pair = '', ...attributes] = line.split('; ');
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals), { value: pair.slice(equals + 1), attributes: attributes.sort() }];
    }),
  );
}

/** One of each kind of answer, by what it is. */
async function everyAnswer(service: TestApp): Promise<Record<string, LightMyRequestResponse>> {
  const { app, get, post, postForm, messages } = service;
  const jar = new CookieJar();
  const login = { username: 'alice', password: PASSWORD };
  const answers: Record<string, LightMyRequestResponse> = {
    'login page': await get('/login', undefined, BROWSER),
    'not signed in': await get('/', undefined, BROWSER),
    'no session': await get('/session'),
    'wrong password': await post('/login', { username: 'alice', password: 'x' }),
    'wrong password, page': await postForm('/login', { username: 'alice', password: 'x' }),
    'no challenge': await post('/otp', { otp: '482915' }),
    'code sent': await post('/login', login, jar),
    'code page': await get('/otp', jar, BROWSER),
    'not a code': await post('/otp', { otp: 'x' }, jar),
    resend: await post('/otp/resend', {}, jar),
  };
  Object.assign(answers, {
    'signed in': await post('/otp', { otp: messages.at(-1)?.code }, jar),
    session: await get('/session', jar),
    home: await get('/', jar, BROWSER),
    'sign out': await post('/logout', undefined, jar),
    'code sent, redirect': await postForm('/login', login, jar),
  });
  return {
    ...answers,
    'signed in, redirect': await postForm('/otp', { otp: messages.at(-1)?.code ?? '' }, jar),
    'not found': await get('/nowhere'),
    'not found, page': await get('/nowhere', undefined, BROWSER),
    'not allowed': await app.inject({ method: 'PUT', url: '/login' }),
    'head of a page': await app.inject({ method: 'HEAD', url: '/login' }),
    'too large': await post('/login', { ...login, password: 'x'.repeat(17_000) }),
    'cross-site': await post('/login', login, undefined, { 'sec-fetch-site': 'cross-site' }),
    alive: await get('/healthz'),
    ready: await get('/readyz'),
  };
}

t.test('over https, the browser holds the cookies to this one host', async (t) => {
  const { post, messages } = await testApp({ env: HTTPS });
  const jar = new CookieJar();
  const login = setCookies(await post('/login', { username: 'alice', password: PASSWORD }, jar));
  t.strictSame(Object.keys(login), ['__Host-doorcode-challenge']);
  t.strictSame(login['__Host-doorcode-challenge']?.attributes, [
    'HttpOnly',
    'Max-Age=600',
    'Path=/',
    'SameSite=Strict',
    'Secure',
  ]);

  const otp = setCookies(await post('/otp', { otp: messages[0]?.code }, jar));
  t.strictSame(Object.keys(otp).sort(), ['__Host-doorcode-challenge', '__Host-doorcode-session']);
  t.strictSame(otp['__Host-doorcode-session']?.attributes, ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']);
  t.strictSame(otp['__Host-doorcode-challenge'], {
    value: '',
    attributes: ['HttpOnly', 'Max-Age=0', 'Path=/', 'SameSite=Strict', 'Secure'],
  });

  const logout = setCookies(await post('/logout', undefined, jar));
  t.strictSame(logout, {
    '__Host-doorcode-session': {
      value: '',
      attributes: ['HttpOnly', 'Max-Age=0', 'Path=/', 'SameSite=Lax', 'Secure'],
    },
    '__Host-doorcode-challenge': {
      value: '',
      attributes: ['HttpOnly', 'Max-Age=0', 'Path=/', 'SameSite=Strict', 'Secure'],
    },
  });
});

t.test('over plain http they have no prefix and are not Secure, and nothing else differs', async (t) => {
  const { post, messages } = await testApp();
  const jar = new CookieJar();
  const login = setCookies(await post('/login', { username: 'alice', password: PASSWORD }, jar));
  t.strictSame(login['doorcode-challenge']?.attributes, ['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Strict']);
  const otp = setCookies(await post('/otp', { otp: messages[0]?.code }, jar));
  t.strictSame(otp['doorcode-session']?.attributes, ['HttpOnly', 'Path=/', 'SameSite=Lax']);
  t.strictSame(otp['doorcode-challenge']?.attributes, ['HttpOnly', 'Max-Age=0', 'Path=/', 'SameSite=Strict']);
});

t.test('with a domain only the session is shared; the challenge stays with the login host', async (t) => {
  const { post, get, messages } = await testApp({ env: { ...HTTPS, COOKIE_DOMAIN: 'example.com' } });
  const jar = new CookieJar();
  const login = setCookies(await post('/login', { username: 'alice', password: PASSWORD }, jar));
  t.strictSame(Object.keys(login), ['__Host-doorcode-challenge']);
  t.strictSame(login['__Host-doorcode-challenge']?.attributes, [
    'HttpOnly',
    'Max-Age=600',
    'Path=/',
    'SameSite=Strict',
    'Secure',
  ]);
  const otp = setCookies(await post('/otp', { otp: messages[0]?.code }, jar));
  t.strictSame(otp['__Secure-doorcode-session']?.attributes, [
    'Domain=example.com',
    'HttpOnly',
    'Path=/',
    'SameSite=Lax',
    'Secure',
  ]);
  t.strictSame(Object.keys(otp).sort(), ['__Host-doorcode-challenge', '__Secure-doorcode-session']);
  t.notMatch(otp['__Host-doorcode-challenge']?.attributes, ['Domain=example.com'], 'else it would not be removed');
  t.equal((await get('/session', jar)).statusCode, 200);
});

t.test('the challenge is kept for what is left of the login, or of its last code', async (t) => {
  const { post, clock } = await testApp({ env: { LOGIN_TTL: '120' } });
  const jar = new CookieJar();
  const maxAge = (response: LightMyRequestResponse) =>
    setCookies(response)['doorcode-challenge']?.attributes.find((attribute) => attribute.startsWith('Max-Age'));
  t.equal(maxAge(await post('/login', { username: 'alice', password: PASSWORD }, jar)), 'Max-Age=120');
  clock.advance(50);
  t.equal(maxAge(await post('/otp/resend', {}, jar)), 'Max-Age=70');
  clock.advance(50);
  t.equal(maxAge(await post('/otp/resend', {}, jar)), 'Max-Age=60');
});

t.test('what is sealed can be read by nobody, and differs each time', async (t) => {
  const { login } = await testApp({ env: HTTPS });
  const values = await Promise.all(
    [0, 1].map(async () => (await login()).jar.cookies.get('__Host-doorcode-challenge') ?? ''),
  );
  t.not(values[0], values[1]);
  for (const value of values) {
    t.ok(value.length > 200 && value.length < 4096);
    const opened = Buffer.from(decodeURIComponent(value).split(';')[0] ?? '', 'base64').toString('latin1');
    t.notMatch(opened, /alice|5550100101|challenge|secret/);
  }
});

t.test('no answer may be kept by anybody', async (t) => {
  for (const [name, { headers }] of Object.entries(await everyAnswer(await testApp({ env: HTTPS })))) {
    t.equal(headers['cache-control'], 'no-store', name);
  }
});

function checkSecurity(t: Test, headers: LightMyRequestResponse['headers'], name: string) {
  t.match(
    headers,
    {
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': /^same-origin$/,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    },
    name,
  );
  t.equal(
    headers['content-security-policy'],
    `default-src 'none';style-src 'self';img-src 'self';form-action 'self';frame-ancestors 'none';base-uri 'none'${
      String(headers['content-type']).startsWith('text/html') ? ";script-src 'self'" : ''
    }`,
    name,
  );
  t.notOk('x-powered-by' in headers || 'server' in headers, `${name}: nothing of the software`);
}

t.test('every answer tells the browser to allow nothing, and over https to stay there', async (t) => {
  const overHttps = await everyAnswer(await testApp({ env: HTTPS }));
  for (const [name, { headers }] of Object.entries(overHttps)) {
    checkSecurity(t, headers, name);
    t.equal(headers['strict-transport-security'], 'max-age=31536000', name);
  }
  const overHttp = await everyAnswer(await testApp());
  t.strictSame(Object.keys(overHttp), Object.keys(overHttps));
  for (const [name, { headers }] of Object.entries(overHttp)) {
    checkSecurity(t, headers, name);
    t.notOk('strict-transport-security' in headers, `${name}: not over plain http`);
  }
});

t.test('the kinds of answer are what they say', async (t) => {
  const statuses = Object.entries(await everyAnswer(await testApp())).map(([name, { statusCode }]) => [
    name,
    statusCode,
  ]);
  t.strictSame(Object.fromEntries(statuses), {
    'login page': 200,
    'not signed in': 303,
    'no session': 401,
    'wrong password': 401,
    'wrong password, page': 303,
    'no challenge': 401,
    'code sent': 200,
    'code page': 200,
    'not a code': 400,
    resend: 200,
    'signed in': 200,
    session: 200,
    home: 200,
    'sign out': 200,
    'code sent, redirect': 303,
    'signed in, redirect': 303,
    'not found': 404,
    'not found, page': 404,
    'not allowed': 405,
    'head of a page': 200,
    'too large': 413,
    'cross-site': 403,
    alive: 200,
    ready: 200,
  });
});

t.test('a form may lead on to the applications that people are sent back to', async (t) => {
  const { get } = await testApp({ env: { ...HTTPS, ALLOWED_RETURN_ORIGINS: 'https://a.example, https://b.example' } });
  const { headers } = await get('/login');
  t.match(headers['content-security-policy'], ";form-action 'self' https://a.example https://b.example;");
});

t.test('without TRUST_PROXY, nobody is believed about where they come from', async (t) => {
  const address = async (env: Record<string, string>) => {
    const { app } = await testApp({ env });
    app.get('/address', async (request) => request.ip);
    return (await app.inject({ url: '/address', headers: { 'x-forwarded-for': '203.0.113.7, 198.51.100.9' } })).body;
  };
  t.equal(await address({}), '127.0.0.1');
  t.equal(await address({ TRUST_PROXY: 'loopback' }), '198.51.100.9');
  t.equal(await address({ TRUST_PROXY: '127.0.0.1, 198.51.100.0/24' }), '203.0.113.7');
  t.equal(await address({ TRUST_PROXY: '192.0.2.0/24' }), '127.0.0.1');
});

t.test('signing out ends an open login, and without one there is nothing to end', async (t) => {
  const { post, login } = await testApp();
  const { jar, code } = await login();
  const kept = jar.clone();
  t.equal((await post('/logout', undefined, jar)).statusCode, 200);
  t.equal(jar.header, '');
  t.match((await post('/otp', { otp: code }, kept)).json(), { status: 409, code: 'otp_used' });
  t.equal((await post('/logout', undefined, jar)).statusCode, 200);
});

t.test('an app can be built as often as wanted, and each keeps its own counts', async (t) => {
  const [one, other] = await Promise.all([testApp(), testApp()]);
  await one.login();
  t.strictSame([one.messages.length, other.messages.length], [1, 0]);
});

t.test('an address that cannot be decoded is a problem like any other', {}, async (t) => {
  const { get } = await testApp({ env: HTTPS });
  const response = await get('/%zz482915');
  t.equal(response.statusCode, 400);
  t.match(response.headers, { 'content-type': /^application\/problem\+json\b/, 'cache-control': 'no-store' });
  t.match(response.json(), { code: 'invalid_request' });
  t.notMatch(response.body, '482915');
});

t.test('a host that the client makes up is in no answer and in no message', async (t) => {
  const evil = 'evil.example';
  for (const TRUST_PROXY of ['', 'loopback']) {
    const service = await testApp({ env: { ...HTTPS, TRUST_PROXY } });
    const headers = {
      host: evil,
      'x-forwarded-host': evil,
      'x-forwarded-proto': 'http',
      'x-forwarded-uri': '/',
      'x-forwarded-for': '203.0.113.1',
    };
    const jar = new CookieJar();
    const answers = [
      await service.post('/login', { username: 'alice', password: PASSWORD }, jar, headers),
      await service.post('/otp/resend', {}, jar, headers),
    ];
    for (const path of ['/login', '/otp', '/auth/redirect', '/auth', '/']) {
      answers.push(await service.get(path, jar, { ...BROWSER, ...headers }));
    }
    t.equal(service.messages.length, 2);
    for (const { text } of service.messages) t.match(text, /@login\.example\.com #\d{6}$/);
    for (const { headers, body } of answers) t.notMatch(`${JSON.stringify(headers)} ${body}`, evil, TRUST_PROXY);
    t.equal(answers[4]?.headers['location'], 'https://login.example.com/login?next=%2F');
  }
});
