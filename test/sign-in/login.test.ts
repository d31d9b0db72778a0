import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { ALICE, CookieJar, PASSWORD, testApp, wrongCode } from '../support/build-app.ts';

t.test('an unknown user, a wrong password and a locked account get the same bytes', async (t) => {
  const { post, login } = await testApp({ env: { LIMIT_ACCOUNT_FAILURES: '1' } });
  const unknown = await post('/login', { username: 'nobody', password: PASSWORD });
  const wrong = await post('/login', { username: 'alice', password: 'wrong' });
  const { jar, code } = await login();
  await post('/otp', { otp: wrongCode(code) }, jar);
  const locked = await post('/login', { username: 'alice', password: PASSWORD });
  const lockedAndWrong = await post('/login', { username: 'alice', password: 'wrong' });
  for (const response of [wrong, locked, lockedAndWrong]) {
    t.equal(response.statusCode, 401);
    t.equal(response.body, unknown.body);
    const headers = ({ date, ...others }: Record<string, unknown>) => others;
    t.strictSame(headers(response.headers), headers(unknown.headers));
  }
  t.strictSame(unknown.json(), { status: 401, code: 'invalid_credentials', title: 'Invalid username or password' });
});

t.test('a wrong password sends nothing and sets no cookie', async (t) => {
  const { post, messages } = await testApp();
  const response = await post('/login', { username: 'alice', password: 'wrong' });
  t.equal(messages.length, 0);
  t.notOk(response.headers['set-cookie']);
});

t.test('the life of a code starts when a provider has accepted it', async (t) => {
  const { onDeliver, clock, login, post } = await testApp();
  onDeliver(() => clock.advance(4.2));
  const { jar, code, response } = await login();
  t.equal(response.json().expiresAt, '2030-01-01T00:01:05Z', '4.2 s, rounded up, and 60 s');
  clock.set(1_893_456_064.9);
  t.equal((await post('/otp', { otp: code }, jar)).statusCode, 200);
});

t.test('nothing accepted: no challenge cookie, and the send is given back', async (t) => {
  const { post, failDelivery } = await testApp({ env: { RESEND_COOLDOWN: '30' } });
  const body = { username: 'alice', password: PASSWORD };
  for (const [code, status] of [
    ['delivery_failed', 503],
    ['delivery_rejected', 422],
  ] as const) {
    failDelivery(new DoorcodeError(code));
    const response = await post('/login', body);
    t.equal(response.statusCode, status);
    t.equal(response.json().code, code);
    t.notOk(response.headers['set-cookie']);
  }
  failDelivery(null);
  t.equal((await post('/login', body)).statusCode, 200);
});

t.test('a second code within the cooldown is refused with the time to wait', async (t) => {
  const { post, clock, messages } = await testApp({ env: { RESEND_COOLDOWN: '30' } });
  const body = { username: 'alice', password: PASSWORD };
  const first = await post('/login', body);
  t.equal(first.json().resendAt, '2030-01-01T00:00:30Z');
  clock.advance(10);
  const second = await post('/login', body);
  t.match(second, { statusCode: 429, headers: { 'retry-after': '20' } });
  t.strictSame(second.json(), { status: 429, code: 'too_many_requests', title: 'Too many requests', retryAfter: 20 });
  t.equal(messages.length, 1);
  clock.advance(20);
  t.equal((await post('/login', body)).statusCode, 200);
});

t.test('the language is the user’s own, else English', async (t) => {
  const users = [ALICE, { username: 'dora', phone: '+4915550100', locale: 'de' }];
  const { post, messages } = await testApp({ users });
  await post('/login', { username: 'alice', password: PASSWORD });
  await post('/login', { username: 'dora', password: PASSWORD });
  t.strictSame(
    messages.map(({ locale }) => locale),
    ['en', 'de'],
  );
});

t.test('a call can be asked for, where a sender can call', async (t) => {
  const { post, messages } = await testApp();
  const response = await post('/login', { username: 'alice', password: PASSWORD, channel: 'voice' }, new CookieJar());
  t.equal(response.json().channel, 'voice');
  t.equal(messages[0]?.channel, 'voice');

  const textOnly = await testApp({
    ports: { delivery: { channels: ['sms'], deliver: async () => ({ sender: 'test' }) } },
  });
  const refused = await textOnly.post('/login', { username: 'alice', password: PASSWORD, channel: 'voice' });
  t.equal(refused.statusCode, 400);
  t.strictSame(refused.json().detail, 'channel must be one of: sms');
});

t.test('the directory’s faults are told as they are, and cost nothing', async (t) => {
  for (const code of ['directory_unavailable', 'overloaded'] as const) {
    const directory = {
      authenticate: async () => {
        throw new DoorcodeError(code, { retryAfterSeconds: 5 });
      },
    };
    const { post, messages } = await testApp({ ports: { directory } });
    const response = await post('/login', { username: 'alice', password: PASSWORD });
    t.match(response, { statusCode: 503, headers: { 'retry-after': '5' } });
    t.equal(response.json().code, code);
    t.equal(messages.length, 0);
  }
});

t.test('a store that fails is told as it is', async (t) => {
  const { createMemoryLimits } = await import('../../src/limits/memory.ts');
  const { fakeClock } = await import('../support/fake-clock.ts');
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  limits.read = async () => {
    throw new DoorcodeError('limits_unavailable', { retryAfterSeconds: 5 });
  };
  const { post } = await testApp({ clock, ports: { limits } });
  t.equal((await post('/login', { username: 'alice', password: PASSWORD })).json().code, 'limits_unavailable');
});
