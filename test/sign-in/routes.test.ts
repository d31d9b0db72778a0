import t from 'tap';
import { BROWSER, CookieJar, PASSWORD, testApp, wrongCode } from '../support/build-app.ts';

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
