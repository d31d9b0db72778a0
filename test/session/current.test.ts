import Fastify from 'fastify';
import t from 'tap';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { createCodec } from '../../src/seal/codec.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { isSameUser } from '../../src/session/current.ts';
import type { User } from '../../src/users/directory.ts';
import { ALICE, BOB, BROWSER, testApp } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

t.test('a session is current until it ends or is revoked', async (t) => {
  const { login, post, get, clock } = await testApp({ env: { SESSION_TTL: '3600' } });
  const { jar, code } = await login();
  t.equal((await get('/session', jar)).statusCode, 401, 'not before the second factor');
  await post('/otp', { otp: code }, jar);
  clock.advance(3599);
  t.equal((await get('/session', jar)).statusCode, 200);
  clock.advance(1);
  t.equal((await get('/session', jar)).json().code, 'not_authenticated');
});

const IDLE = { SESSION_TTL: '3600', SESSION_IDLE_TTL: '600', SESSION_KEYS: Buffer.alloc(32, 1).toString('base64') };

t.test('a session in use is renewed at a tenth of its idle time, by whatever asks who is there', async (t) => {
  const { login, post, get, clock } = await testApp({ env: IDLE });
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  for (const path of ['/session', '/', '/auth', '/auth/redirect', '/login']) {
    clock.advance(59);
    t.equal((await get(path, jar, BROWSER)).headers['set-cookie'], undefined, `${path}: not yet`);
    clock.advance(1);
    t.match(
      (await get(path, jar, BROWSER)).headers['set-cookie'],
      /^doorcode-session=.+; HttpOnly; SameSite=Lax$/,
      path,
    );
  }
  clock.advance(599);
  t.equal((await get('/session', jar)).statusCode, 200);
  clock.advance(600);
  t.equal((await get('/session', jar)).statusCode, 401);
});

t.test('without an idle time no session is renewed', async (t) => {
  const { login, post, get, clock } = await testApp();
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  clock.advance(40_000);
  t.match(await get('/session', jar), { statusCode: 200, headers: { 'set-cookie': undefined } });
});

t.test('use does not put off the end, and an old cookie put back ends sooner', async (t) => {
  const { login, post, get, clock } = await testApp({ env: IDLE });
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  const first = jar.clone();
  for (let minutes = 5; minutes < 60; minutes += 5) {
    clock.advance(300);
    t.equal((await get('/session', jar)).statusCode, 200);
    if (minutes >= 10) t.equal((await get('/session', first.clone())).statusCode, 401);
  }
  clock.advance(299);
  t.match((await get('/session', jar)).json(), { expiresAt: '2030-01-01T01:00:00Z' });
  clock.advance(1);
  t.equal((await get('/session', jar)).statusCode, 401);
});

t.test('replicas and requests at the same time agree, and signing out ends every renewal', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const [one, two] = await Promise.all([1, 2].map(() => testApp({ env: IDLE, clock, ports: { limits } })));
  if (one === undefined || two === undefined) return;
  const { jar, code } = await one.login();
  await one.post('/otp', { otp: code }, jar);
  clock.advance(100);
  const copies = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const copy = jar.clone();
      t.match(await [one, two][index % 2]?.get('/auth', copy), { statusCode: 200, headers: { 'set-cookie': /./ } });
      return copy;
    }),
  );
  clock.advance(599);
  for (const copy of copies) t.equal((await two.get('/auth', copy.clone())).statusCode, 200);
  const [last] = copies;
  await one.post('/logout', {}, last);
  clock.advance(5);
  for (const copy of [jar, ...copies])
    t.match(await two.get('/auth', copy), { statusCode: 401, headers: { 'set-cookie': undefined } });
});

const DOMAIN = { ORIGIN: 'https://login.example.com', COOKIE_DOMAIN: 'example.com' };
const SHARED = '__Secure-doorcode-session';
const HOST = '__Host-doorcode-session';

/** A service, and ways to make sessions and to send them in one request. */
async function withSessions(options: Parameters<typeof testApp>[0] = { env: DOMAIN }) {
  const service = await testApp(options);
  const { login, post, get } = service;
  const name = options?.env?.['ORIGIN'] === undefined ? 'doorcode-session' : SHARED;
  /** The value of the cookie of a new session. */
  const signIn = async (user: User) => {
    const { jar, code } = await login(user);
    await post('/otp', { otp: code }, jar);
    return jar.cookies.get(name) ?? '';
  };
  const signOut = (value: string) => post('/logout', {}, undefined, { cookie: `${name}=${value}` });
  /** Who a request with these values is, by everything that asks. */
  const userOf = async (...values: string[]) => {
    const cookie = values.map((value) => (value.includes('doorcode') ? value : `${name}=${value}`)).join('; ');
    const [session, auth, home] = await Promise.all([
      get('/session', undefined, { cookie }),
      get('/auth', undefined, { cookie }),
      get('/', undefined, { ...BROWSER, cookie }),
    ]);
    t.equal(auth.statusCode, session.statusCode);
    t.equal(auth.headers['remote-user'] || undefined, session.json().user);
    t.equal(home.statusCode, session.statusCode === 200 ? 200 : 303);
    return session.json().user ?? null;
  };
  return { ...service, signIn, signOut, userOf };
}

t.test('the first valid session counts: those before it that ended hide nothing', async (t) => {
  for (const options of [{ env: DOMAIN }, {}]) {
    const { signIn, signOut, userOf, clock } = await withSessions(options);
    const old = await signIn(BOB);
    const [out, othersOut] = [await signIn(ALICE), await signIn(BOB)];
    await signOut(out);
    await signOut(othersOut);
    clock.advance(43_200);
    const valid = await signIn(ALICE);
    for (const before of [[out], [othersOut], [old], [out, othersOut, old], Array(40).fill(old)])
      for (const values of [
        [...before, valid],
        [valid, ...before],
      ])
        t.equal(await userOf(...values), 'alice');
    t.equal(await userOf(out, othersOut, old), null);
  }
});

t.test('a session that ended unused hides none that is in use', async (t) => {
  const { signIn, userOf, clock } = await withSessions({ env: { ...DOMAIN, ...IDLE } });
  const unused = await signIn(BOB);
  clock.advance(601);
  const valid = await signIn(ALICE);
  t.equal(await userOf(unused, valid), 'alice');
  t.equal(await userOf(unused), null);
});

t.test('two valid sessions of one user are one user, those of two users are nobody', async (t) => {
  const { signIn, signOut, userOf, logs } = await withSessions();
  const [one, two, bobs] = [await signIn(ALICE), await signIn(ALICE), await signIn(BOB)];
  t.equal(await userOf(one, two), 'alice');
  t.equal(await userOf(one, one), 'alice');
  for (const values of [
    [one, bobs],
    [bobs, one],
    [one, two, bobs],
    [`${HOST}=${bobs}`, one],
    [bobs, `${HOST}=${one}`],
  ])
    t.equal(await userOf(...values), null);
  t.match(logs.join(''), 'valid sessions of different users in one request');
  await signOut(bobs);
  t.equal(await userOf(bobs, one), 'alice', 'until one of them ends');
});

t.test('users are told apart by the form in which names are compared', async (t) => {
  const spelled = { ...ALICE, username: 'Alice' };
  const users = [ALICE];
  const { signIn, userOf } = await withSessions({
    env: DOMAIN,
    ports: {
      directory: {
        authenticate: async (username) => (username === 'alice' ? ALICE : username === 'Alice' ? spelled : null),
      },
    },
    users,
  });
  const [one, two] = [await signIn(ALICE), await signIn(spelled)];
  t.equal(await userOf(one, two), 'alice');
  t.equal(await userOf(two, one), 'Alice');
  t.ok(isSameUser({ sub: 'BOB' }, { sub: 'bob' }));
  t.notOk(isSameUser({ sub: 'bob' }, { sub: 'bobby' }));
});

t.test('a session from before COOKIE_DOMAIN was set goes on, and is set for the domain', async (t) => {
  const keys = deriveKeys([Buffer.alloc(32, 7)]);
  const before = await testApp({ env: { ORIGIN: DOMAIN.ORIGIN }, ports: { keys } });
  const { jar, code } = await before.login();
  await before.post('/otp', { otp: code }, jar);
  t.strictSame([...jar.cookies.keys()], [HOST]);

  const after = await testApp({ env: DOMAIN, ports: { keys }, clock: before.clock });
  const login = await after.get('/login?next=/inbox', jar, BROWSER);
  t.match(login, { statusCode: 303, headers: { location: '/inbox' } });
  t.match([login.headers['set-cookie']].flat(), [
    /^__Secure-doorcode-session=[^;]{100,}; Domain=example\.com; Path=\//,
  ]);
  t.match(await after.get('/session', jar), { statusCode: 200, headers: { 'set-cookie': undefined } }, 'set once');

  const domainOnly = jar.clone();
  domainOnly.cookies.delete(HOST);
  t.equal((await after.get('/auth', domainOnly)).headers['remote-user'], 'alice', 'as an app below the domain sees it');
  const removed = await testApp({ env: { ORIGIN: DOMAIN.ORIGIN }, ports: { keys }, clock: before.clock });
  t.equal(
    (await removed.get('/session', domainOnly)).statusCode,
    401,
    'without a domain, a subdomain could have set it',
  );
  await after.post('/logout', {}, jar);
  t.equal(jar.header, '', 'signing out clears both');
  t.equal((await after.get('/session', domainOnly)).statusCode, 401);
});

t.test('a replica of the version before and this one take the same session', async (t) => {
  const { signIn, userOf } = await withSessions({ env: DOMAIN, ports: { keys: deriveKeys([Buffer.alloc(32, 7)]) } });
  t.equal(await userOf(await signIn(ALICE)), 'alice');
  const codec = await createCodec(Fastify(), deriveKeys([Buffer.alloc(32, 7)]));
  const iat = 1_893_456_000;
  const sealed = codec.seal('session', {
    typ: 'session',
    id: 'x'.repeat(22),
    sub: 'bob',
    amr: ['pwd'],
    iat,
    exp: iat + 60,
  });
  t.equal(await userOf(encodeURIComponent(sealed)), 'bob');
});
