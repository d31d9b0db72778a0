import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { ALICE, BOB, BROWSER, CookieJar, PASSWORD, testApp, wrongCode } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

const DOMAIN = { ORIGIN: 'https://login.example.com', COOKIE_DOMAIN: 'example.com' };

t.test('password, code, session, sign out', async (t) => {
  const { post, get, messages, config } = await testApp();
  const jar = new CookieJar();

  const login = await post('/login', { username: 'alice', password: PASSWORD }, jar);
  t.equal(login.statusCode, 200);
  t.strictSame(login.json(), {
    status: 'otp_sent',
    channel: 'sms',
    to: '+1 ••• ••• ••01',
    expiresAt: '2030-01-01T00:01:00Z',
    resendAt: '2030-01-01T00:00:00Z',
    attemptsLeft: config.otpAttempts,
  });

  const otp = await post('/otp', { otp: messages[0]?.code }, jar);
  t.equal(otp.statusCode, 200, otp.body);
  t.strictSame(otp.json(), {
    status: 'authenticated',
    user: 'alice',
    expiresAt: '2030-01-01T12:00:00Z',
    next: '/',
  });
  t.strictSame([...jar.cookies.keys()], ['doorcode-session']);

  const session = await get('/session', jar);
  t.strictSame(session.json(), {
    user: 'alice',
    authenticatedAt: '2030-01-01T00:00:00Z',
    expiresAt: '2030-01-01T12:00:00Z',
    amr: ['pwd', 'otp', 'sms'],
  });

  const old = jar.clone();
  t.strictSame((await post('/logout', undefined, jar)).json(), { status: 'signed_out' });
  const after = await get('/session', old);
  t.equal(after.statusCode, 401);
  t.equal(after.json().code, 'not_authenticated');
});

t.test('the same with forms and redirects', async (t) => {
  const { postForm, get, messages } = await testApp();
  const jar = new CookieJar();
  t.match((await get('/', jar, BROWSER)).headers, { location: '/login' });
  t.match((await get('/login', jar, BROWSER)).body, 'action="/login"');
  const login = await postForm('/login', { username: 'alice', password: PASSWORD, next: '/inbox?a=1' }, jar);
  t.match(login, { statusCode: 303, headers: { location: '/otp' } });
  const page = await get('/otp', jar, BROWSER);
  t.match(page.body, /\+1\s•••\s•••\s••01/);
  const code = messages[0]?.code ?? '';
  const wrong = await postForm('/otp', { otp: wrongCode(code) }, jar);
  t.match(wrong, { statusCode: 303, headers: { location: '/otp' } });
  t.match((await get('/otp', jar, BROWSER)).body, 'Invalid one-time password. 4 tries left.');
  const right = await postForm('/otp', { otp: code }, jar);
  t.match(right, { statusCode: 303, headers: { location: '/inbox?a=1' } });
  t.match((await get('/', jar, BROWSER)).body, 'alice');
  t.match(await postForm('/logout', {}, jar), { statusCode: 303, headers: { location: '/login' } });
  t.equal(jar.header, '');
});

t.test("signing in ends other users' sessions in the request, which a subdomain may have planted", async (t) => {
  const { login, post, get } = await testApp({ env: DOMAIN });
  const name = '__Secure-doorcode-session';
  const sessionOf = async (user = ALICE, planted = '') => {
    const { jar, code } = await login(user);
    const response = await post('/otp', { otp: code }, undefined, { cookie: `${planted}${jar.header}` });
    t.equal(response.statusCode, 200);
    return jar.store(response).cookies.get(name) ?? '';
  };
  const planted = await sessionOf(BOB);
  const own = await sessionOf(ALICE);
  const fresh = await sessionOf(ALICE, `${name}=${planted}; ${name}=${own}; `);
  const status = async (...values: string[]) =>
    (await get('/session', undefined, { cookie: values.map((value) => `${name}=${value}`).join('; ') })).statusCode;
  t.equal(await status(planted), 401, "the other user's session is over");
  t.equal(await status(planted, fresh), 200, 'and does not stand in the way');
  t.equal(await status(own), 200, "the user's own one elsewhere is not");
});

t.test('signing in does not fail when other sessions cannot be revoked', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const { login, post, logs } = await testApp({
    clock,
    ports: {
      limits: {
        ...limits,
        claim: async (rule, key, seconds) => {
          if (rule === 'revoked') throw new DoorcodeError('limits_unavailable');
          return limits.claim(rule, key, seconds);
        },
      },
    },
  });
  const bob = await login(BOB);
  await post('/otp', { otp: bob.code }, bob.jar);
  const { jar, code } = await login(ALICE);
  const cookie = `${bob.jar.header}; ${jar.header}`;
  t.equal((await post('/otp', { otp: code }, undefined, { cookie })).statusCode, 200);
  t.match(logs.join(''), 'sessions of other users in this browser could not be revoked');
});

t.test('a login that the version before opened is completed, from its cookie for the whole domain', async (t) => {
  const { login, post, messages, get } = await testApp({ env: DOMAIN });
  const legacy = async (user = ALICE) => {
    const { jar, code } = await login(user);
    const value = jar.cookies.get('__Host-doorcode-challenge') ?? '';
    jar.cookies.clear();
    jar.cookies.set('__Secure-doorcode-challenge', value);
    return { jar, code };
  };
  const cleared =
    /^__Secure-doorcode-challenge=; Max-Age=0; Domain=example\.com; Path=\/; HttpOnly; Secure; SameSite=Strict$/;
  const { jar, code } = await legacy();
  t.match((await get('/otp', jar, BROWSER)).statusCode, 200);
  const done = await post('/otp', { otp: code }, jar);
  t.equal(done.json().user, 'alice');
  t.match(done.headers['set-cookie'], [
    /^__Secure-doorcode-session=/,
    cleared,
    /^__Host-doorcode-challenge=; Max-Age=0;/,
  ]);
  t.strictSame([...jar.cookies.keys()], ['__Secure-doorcode-session']);

  const other = await legacy();
  const renewed = await post('/otp/resend', {}, other.jar);
  t.match(renewed.headers['set-cookie'], [cleared, /^__Host-doorcode-challenge=[^;]{100,};/]);
  t.equal((await post('/otp', { otp: messages.at(-1)?.code }, other.jar)).statusCode, 200);

  const planted = await legacy(BOB);
  const own = await login(ALICE);
  const cookie = `${planted.jar.header}; ${own.jar.header}`;
  const right = await post('/otp', { otp: own.code }, undefined, { cookie });
  t.equal(right.json().user, 'alice', "a challenge of the login host comes before a subdomain's");
  t.equal((await post('/otp', { otp: planted.code }, planted.jar.clone())).statusCode, 200, 'which spent no guess');
});

t.test('without a domain, a challenge that a subdomain can set is none', async (t) => {
  const { login, post } = await testApp({ env: { ORIGIN: DOMAIN.ORIGIN } });
  const { jar, code } = await login();
  const cookie = jar.header.replace('__Host-', '__Secure-');
  t.equal((await post('/otp', { otp: code }, undefined, { cookie })).json().code, 'challenge_missing');
});

t.test('of several challenges the first that can sign in counts', async (t) => {
  const { login, post, get, clock } = await testApp({ env: { OTP_TTL: '30', LOGIN_TTL: '120' } });
  const challenge = async (user = BOB) => {
    const { jar, code } = await login(user);
    return { cookie: jar.header, code };
  };
  const over = await challenge();
  clock.advance(60);
  const expired = await challenge();
  clock.advance(60);
  const [used, exhausted, replaced] = [await challenge(), await challenge(), await challenge()];
  await post('/otp', { otp: used.code }, undefined, { cookie: used.cookie });
  for (let guess = 0; guess < 5; guess += 1)
    await post('/otp', { otp: wrongCode(exhausted.code) }, undefined, { cookie: exhausted.cookie });
  await post('/otp/resend', {}, undefined, { cookie: replaced.cookie });
  const ended = { over, expired, used, exhausted, replaced };
  for (const [what, { cookie, code }] of Object.entries(ended))
    t.not((await post('/otp', { otp: code }, undefined, { cookie })).statusCode, 200, `${what} alone`);

  for (const before of [...Object.values(ended).map((one) => [one]), Object.values(ended)]) {
    const cookies = before.map(({ cookie }) => cookie).join('; ');
    const own = await challenge(ALICE);
    const cookie = `doorcode-challenge=junk; ${cookies}; ${own.cookie}`;
    t.match((await get('/otp', undefined, { ...BROWSER, cookie })).body, '••01');
    t.equal((await post('/otp', { otp: own.code }, undefined, { cookie })).json().user, 'alice');
    const next = await challenge(ALICE);
    const resent = await post('/otp/resend', {}, undefined, { cookie: `${cookies}; ${next.cookie}` });
    t.match(resent.json().to, /••01$/);
  }
  const [first, second] = [await challenge(ALICE), await challenge(BOB)];
  const cookie = `${first.cookie}; ${second.cookie}`;
  t.equal((await post('/otp', { otp: first.code }, undefined, { cookie })).json().user, 'alice');
  t.equal((await post('/otp', { otp: second.code }, undefined, { cookie })).json().user, 'bob', 'then the next');
});
