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

const REMOTE = { 'content-type': 'application/json' };

/** Wrong passwords, each said to be from an address; the answers' status codes. */
async function wrongFrom(
  app: Awaited<ReturnType<typeof testApp>>,
  attempts: { username?: string; remoteAddress?: string; forwarded?: string }[],
) {
  const statuses: number[] = [];
  for (const { username = 'alice', remoteAddress = '192.0.2.1', forwarded } of attempts) {
    const { statusCode } = await app.app.inject({
      method: 'POST',
      url: '/login',
      remoteAddress,
      headers: forwarded === undefined ? REMOTE : { ...REMOTE, 'x-forwarded-for': forwarded },
      payload: { username, password: 'wrong' },
    });
    statuses.push(statusCode);
  }
  return statuses;
}

const times = <Item>(count: number, item: (index: number) => Item) => Array.from({ length: count }, (_, i) => item(i));

t.test(
  'five wrong passwords from one address in a quarter of an hour, then 429, for the right one as well',
  async (t) => {
    const app = await testApp();
    t.strictSame(
      await wrongFrom(
        app,
        times(6, () => ({})),
      ),
      [401, 401, 401, 401, 401, 429],
    );
    const right = await app.app.inject({
      method: 'POST',
      url: '/login',
      remoteAddress: '192.0.2.1',
      payload: { username: 'alice', password: PASSWORD },
    });
    t.match(right, { statusCode: 429, headers: { 'retry-after': '900' } });
    t.equal(right.json().code, 'too_many_requests');
    t.equal(app.messages.length, 0);
    t.equal((await app.post('/login', { username: 'alice', password: PASSWORD })).statusCode, 200, 'from elsewhere');
  },
);

t.test('spellings of a name, addresses of one IPv6 /64 and IPv4 written as IPv6 share a count', async (t) => {
  const names = ['bob', 'BOB', 'ｂｏｂ', 'Bob', 'boB', 'bob'];
  t.strictSame(
    (
      await wrongFrom(
        await testApp(),
        names.map((username) => ({ username })),
      )
    ).at(-1),
    429,
  );
  const network = times(200, (index) => ({ remoteAddress: `2001:db8::${index.toString(16)}` }));
  t.equal((await wrongFrom(await testApp(), network)).filter((status) => status === 401).length, 5);
  const mapped = ['192.0.2.9', '::ffff:192.0.2.9', '::ffff:c000:209', '192.0.2.9', '192.0.2.9', '::ffff:192.0.2.9'];
  t.equal(
    (
      await wrongFrom(
        await testApp(),
        mapped.map((remoteAddress) => ({ remoteAddress })),
      )
    ).at(-1),
    429,
  );
});

t.test(
  'a client’s own X-Forwarded-For changes nothing unless its peer is trusted; nonsense is no way around',
  async (t) => {
    const claimed = times(20, (index) => ({ forwarded: `203.0.113.${index}` }));
    const count = (statuses: number[]) => statuses.filter((status) => status === 401).length;
    t.equal(count(await wrongFrom(await testApp(), claimed)), 5);
    t.equal(count(await wrongFrom(await testApp({ env: { TRUST_PROXY: '198.51.100.1' } }), claimed)), 5);
    const trusted = { env: { TRUST_PROXY: '192.0.2.1' } };
    t.equal(
      count(await wrongFrom(await testApp(trusted), claimed)),
      20,
      'behind a trusted proxy they are other people',
    );
    const nonsense = times(20, (index) => ({
      forwarded: `${['', 'x', '999.1.1.1', '"', ','][index % 5]}nonsense ${index}`,
    }));
    t.equal(count(await wrongFrom(await testApp(trusted), nonsense)), 5);
    const prefixed = times(20, (index) => ({ forwarded: `198.51.100.${index}, 203.0.113.7` }));
    t.equal(count(await wrongFrom(await testApp(trusted), prefixed)), 5, 'only what our proxy added counts');
  },
);

t.test('without the password nobody spends the owner’s guesses or locks the code step', async (t) => {
  const app = await testApp();
  const { jar, code } = await app.login();
  await wrongFrom(
    app,
    times(60, (index) => ({ remoteAddress: `198.51.100.${index}` })),
  );
  t.equal((await app.post('/otp', { otp: wrongCode(code) }, jar)).json().attemptsLeft, 4);
  t.equal((await app.post('/otp', { otp: code }, jar)).statusCode, 200);
  t.equal(app.messages.length, 1, 'and nothing was sent');
});

t.test('the sixth code in ten minutes is refused with the time to wait; the provider saw five', async (t) => {
  const app = await testApp({ env: { LIMIT_SEND_PHONE: '5/600,20/86400', LIMIT_SEND_ACCOUNT: '5/600' } });
  const { jar } = await app.login();
  for (let send = 0; send < 4; send += 1) t.equal((await app.post('/otp/resend', {}, jar)).statusCode, 200);
  app.clock.advance(100);
  for (const sixth of [await app.post('/otp/resend', {}, jar), (await app.login()).response]) {
    t.match(sixth, { statusCode: 429, headers: { 'retry-after': '500' } });
  }
  t.equal(app.messages.length, 5);
});

t.test('what the directory could not answer is not a wrong password', async (t) => {
  let available = false;
  const directory = {
    authenticate: async () => {
      if (!available) throw new DoorcodeError('directory_unavailable');
      return null;
    },
  };
  const app = await testApp({ ports: { directory } });
  t.strictSame(
    await wrongFrom(
      app,
      times(20, () => ({})),
    ),
    Array(20).fill(503),
  );
  available = true;
  t.strictSame(
    await wrongFrom(
      app,
      times(6, () => ({})),
    ),
    [401, 401, 401, 401, 401, 429],
  );
});

t.test(
  'on a locked account the right password counts like a wrong one, so that the count does not tell it',
  async (t) => {
    for (const password of [PASSWORD, 'wrong']) {
      const { post, login } = await testApp({ env: { LIMIT_ACCOUNT_FAILURES: '1' } });
      const { jar, code } = await login();
      await post('/otp', { otp: wrongCode(code) }, jar);
      const statuses: number[] = [];
      for (let tries = 0; tries < 7; tries += 1) {
        statuses.push((await post('/login', { username: 'alice', password })).statusCode);
      }
      t.strictSame(statuses, [401, 401, 401, 401, 401, 429, 429], password);
    }
  },
);

t.test('neither the channel nor the target splits the count of wrong passwords', async (t) => {
  const { post } = await testApp();
  const statuses = [];
  for (const [index, channel] of ['sms', 'voice', 'sms', 'voice', 'sms', 'voice', 'sms'].entries()) {
    const body = { username: 'alice', password: 'wrong', channel, next: `/${index}` };
    statuses.push((await post('/login', body)).statusCode);
  }
  t.strictSame(statuses, [401, 401, 401, 401, 401, 429, 429]);
});

t.test('no other spelling of the path leads around the limit', async (t) => {
  const service = await testApp();
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => service.app.close());
  const headers = { 'content-type': 'application/json' };
  const post = async (path: string, password: string) => {
    const body = JSON.stringify({ username: 'alice', password });
    return (await fetch(url + path, { method: 'POST', headers, body })).status;
  };
  for (let tries = 0; tries < 5; tries += 1) t.equal(await post('/login', 'wrong'), 401);
  for (const path of [
    '/%6cogin',
    '/%6C%6F%67%69%6E',
    '/LOGIN',
    '/login/',
    '//login',
    '/login;x',
    '/login?x',
    '/login%2f',
  ]) {
    const status = await post(path, PASSWORD);
    t.ok([404, 405, 429].includes(status), `${path} ${status}`);
  }
  t.equal(service.messages.length, 0);
});
