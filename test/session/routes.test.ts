import t from 'tap';
import type { DoorcodeEvent } from '../../src/events.ts';
import { ALICE, BOB, BROWSER, CookieJar, testApp } from '../support/build-app.ts';

const HTTP = {};
const DOMAIN = { ORIGIN: 'https://login.example.com', COOKIE_DOMAIN: 'example.com' };

t.test('signing out revokes the session wherever its cookie is, and closes an open challenge', async (t) => {
  const { login, post, get } = await testApp();
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  const second = await login(undefined, jar);
  const copy = jar.clone();
  t.strictSame([...copy.cookies.keys()].sort(), ['doorcode-challenge', 'doorcode-session']);

  const out = await post('/logout', {}, jar);
  t.strictSame(out.json(), { status: 'signed_out' });
  t.equal(jar.header, '');
  t.equal((await get('/session', copy)).statusCode, 401);
  t.equal((await post('/otp', { otp: second.code }, copy)).json().code, 'otp_used');
});

t.test('signing out without a session is no error, whatever the cookies hold', async (t) => {
  const { post } = await testApp();
  for (const cookies of [{}, { 'doorcode-session': 'x', 'doorcode-challenge': 'y' }]) {
    const jar = new CookieJar();
    for (const [name, value] of Object.entries(cookies)) jar.cookies.set(name, value);
    const response = await post('/logout', undefined, jar);
    t.equal(response.statusCode, 200);
    t.equal(jar.header, '', 'both cookies are cleared');
  }
});

t.test('the signed-in page is for the signed-in; others are sent to log in', async (t) => {
  const { login, post, get } = await testApp();
  t.match(await get('/', undefined, BROWSER), { statusCode: 303, headers: { location: '/login' } });
  const { jar, code } = await login();
  t.match(await get('/', jar, BROWSER), { statusCode: 303, headers: { location: '/login' } });
  await post('/otp', { otp: code }, jar);
  const page = await get('/', jar, BROWSER);
  t.match(page, { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
  for (const text of ['alice', '2030-01-01T00:00:00Z', '2030-01-01T12:00:00Z', 'action="/logout"']) {
    t.match(page.body, text);
  }
});

t.test('an app behind a gateway signs its user out by a form, once its origin is allowed', async (t) => {
  const origin = 'https://app.example.com';
  for (const [allowed, statusCode, left] of [
    [origin, 303, 401],
    ['', 403, 200],
  ] as const) {
    const env = { ORIGIN: 'https://login.example.com', COOKIE_DOMAIN: 'example.com', ALLOWED_ORIGINS: allowed };
    const { app, login, post, get } = await testApp({ env });
    const { jar, code } = await login();
    await post('/otp', { otp: code }, jar);
    const copy = jar.clone();
    // As browsers send a form that has no field.
    const headers = {
      ...BROWSER,
      origin,
      'sec-fetch-site': 'same-site',
      'content-type': 'application/x-www-form-urlencoded',
      cookie: jar.header,
    };
    t.match(await app.inject({ method: 'POST', url: '/logout', headers, payload: '' }), { statusCode }, allowed);
    for (const path of ['/auth', '/session']) t.equal((await get(path, copy)).statusCode, left);
  }
});

t.test('signing out revokes every session and every challenge of the request, under any name', async (t) => {
  for (const env of [HTTP, { ORIGIN: 'https://login.example.com' }, DOMAIN]) {
    const events: DoorcodeEvent[] = [];
    const { login, post, app, get } = await testApp({ env, ports: { events: (event) => void events.push(event) } });
    const ofKind = (jar: CookieJar, kind: string) => [...jar.cookies].find(([name]) => name.endsWith(kind)) ?? ['', ''];
    const sessions = [];
    for (const user of [ALICE, ALICE, BOB]) {
      const { jar, code } = await login(user);
      await post('/otp', { otp: code }, jar);
      sessions.push(ofKind(jar, 'doorcode-session'));
    }
    const challenges = await Promise.all(
      [ALICE, BOB].map(async (user) => {
        const { jar, code } = await login(user);
        return { pair: ofKind(jar, 'doorcode-challenge'), code };
      }),
    );
    // As a browser sends them that has some from another COOKIE_DOMAIN.
    const prefixes = env === HTTP ? [''] : ['__Secure-', '__Host-'];
    const mixed = [...sessions, ...challenges.map(({ pair }) => pair)].map(([name, value], index) => {
      const prefix = prefixes[index % prefixes.length] ?? '';
      return index === 0 ? `${name}=${value}` : `${prefix}${name.replace(/^__\w+-/, '')}=${value}`;
    });
    const cookie = ['doorcode-session=junk', ...mixed].join('; ');
    t.equal((await post('/logout', {}, undefined, { cookie })).statusCode, 200);
    t.strictSame(events.flatMap((event) => (event.type === 'signed_out' ? [event.subject] : [])).sort(), [
      'alice',
      'alice',
      'bob',
    ]);
    for (const [name, value] of sessions)
      t.equal((await get('/session', undefined, { cookie: `${name}=${value}` })).statusCode, 401);
    for (const { pair, code } of challenges) {
      const headers = { cookie: pair.join('=') };
      const response = await app.inject({ method: 'POST', url: '/otp', headers, payload: { otp: code } });
      t.equal(response.json().code, 'otp_used');
    }
  }
});

t.test('without its store, signing out clears the browser, and says that the session could not be ended', async (t) => {
  const { createMemoryLimits } = await import('../../src/limits/memory.ts');
  const { fakeClock } = await import('../support/fake-clock.ts');
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => 1 });
  const { login, post, postForm, get } = await testApp({ clock, ports: { limits } });
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  await limits.claim('revoked', 'somebody else', 60);
  const browser = jar.clone();
  const out = await post('/logout', {}, browser);
  t.match(out.json(), { status: 503, code: 'limits_unavailable', detail: /cookies are cleared, but not all could be/ });
  t.equal(browser.header, '', 'both cookies are cleared');
  t.equal((await get('/session', jar)).statusCode, 200, 'a copy is still good');

  const page = await postForm('/logout', {}, jar);
  t.match(page, { statusCode: 503, headers: { 'content-type': 'text/html; charset=utf-8' } });
  t.match(page.body, 'You are signed out in this browser, but');
  t.equal(jar.header, '');
});

t.test('an empty body of type JSON is no body', async (t) => {
  const { app } = await testApp();
  const response = await app.inject({
    method: 'POST',
    url: '/logout',
    headers: { 'content-type': 'application/json' },
    payload: '',
  });
  t.equal(response.statusCode, 200);
});
