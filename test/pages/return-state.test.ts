import t from 'tap';
import { ALICE, BROWSER, CookieJar, PASSWORD, type TestApp, testApp } from '../support/build-app.ts';

const APP = 'https://app.example.com';
const ENV = { ORIGIN: 'https://login.example.com', ALLOWED_RETURN_ORIGINS: APP };
const link = (next: string) => `/login?next=${encodeURIComponent(next)}`;
const eventsIn = ({ logs }: TestApp, name: string) =>
  logs.map((line) => JSON.parse(line)).filter(({ event }) => event === name);

const signIn = async (service: TestApp, next = '/') => {
  const jar = new CookieJar();
  await service.postForm('/login', { username: ALICE.username, password: PASSWORD, next }, jar);
  await service.get('/otp', jar, BROWSER);
  const response = await service.postForm('/otp', { otp: service.messages.at(-1)?.code ?? '' }, jar);
  return { jar, response };
};

t.test('a redirect loop ends in a page that explains it, and in one line of the log', async (t) => {
  const service = await testApp({ env: ENV });
  const { jar, response } = await signIn(service, `${APP}/inbox`);
  t.equal(response.headers['location'], `${APP}/inbox`);
  for (let round = 0; round < 2; round += 1) {
    const statuses: number[] = [];
    for (let visit = 0; visit < 5; visit += 1) {
      const answer = await service.get(link(`${APP}/inbox?visit=${visit}`), jar, BROWSER);
      statuses.push(answer.statusCode);
      if (answer.statusCode !== 303) t.match(answer.body, 'the app that you want to open does not see it');
    }
    t.strictSame(statuses, [303, 303, 303, 303, 508]);
  }
  t.match(eventsIn(service, 'sys_redirect_loop'), [{ level: 50, origin: APP, msg: /set COOKIE_DOMAIN/ }]);
  t.equal(eventsIn(service, 'sys_redirect_loop').length, 1);
  t.equal((await service.get('/session', jar)).statusCode, 200, 'the session stays');
});

t.test('tabs of one browser that loop at the same time do not hide each other', async (t) => {
  const service = await testApp({ env: ENV });
  const { jar } = await signIn(service);
  const statuses: number[] = [];
  for (let visit = 0; visit < 10; visit += 1) {
    statuses.push(
      (await service.get(link(`${APP}/${visit % 2 === 0 ? 'inbox' : 'calendar'}`), jar, BROWSER)).statusCode,
    );
  }
  t.strictSame(statuses.slice(0, 9), [...Array(8).fill(303), 508]);
});

t.test('the log names the likely cause of a loop', async (t) => {
  const causes: [env: Record<string, string>, next: string, cause: RegExp][] = [
    [{ ...ENV, COOKIE_DOMAIN: 'login.example.com' }, APP, /not at or below COOKIE_DOMAIN \(login\.example\.com\)/],
    [{ ...ENV, COOKIE_DOMAIN: 'example.com' }, APP, /passes the Cookie header on/],
    [
      { ...ENV, COOKIE_DOMAIN: 'example.com', ALLOWED_RETURN_ORIGINS: 'http://app.example.com' },
      'http://app.example.com',
      /over https only/,
    ],
    [ENV, '/inbox', /passes the Cookie header on/],
  ];
  for (const [env, next, cause] of causes) {
    const service = await testApp({ env });
    const { jar } = await signIn(service);
    for (let visit = 0; visit < 5; visit += 1) await service.get(link(next), jar, BROWSER);
    t.match(eventsIn(service, 'sys_redirect_loop'), [{ msg: cause }]);
  }
});

t.test('a program gets the code of a loop', async (t) => {
  const service = await testApp({ env: ENV });
  const { jar } = await signIn(service);
  for (let visit = 0; visit < 4; visit += 1) t.equal((await service.get(link(APP), jar)).statusCode, 303);
  t.match((await service.get(link(APP), jar)).json(), { status: 508, code: 'redirect_loop' });
});

t.test('a user who comes back now and then, or opens several pages, is in no loop', async (t) => {
  const service = await testApp({ env: ENV });
  const { jar } = await signIn(service);
  for (let visit = 0; visit < 10; visit += 1) {
    service.clock.advance(8);
    t.equal((await service.get(link(`${APP}/inbox`), jar, BROWSER)).statusCode, 303, `visit ${visit}`);
  }
  for (let page = 0; page < 10; page += 1)
    t.equal((await service.get(link(`${APP}/page/${page}`), jar, BROWSER)).statusCode, 303, `page ${page}`);
});

t.test('a browser that does not keep the session is told so', async (t) => {
  const service = await testApp({ env: ENV });
  for (let round = 0; round < 2; round += 1) {
    const { jar } = await signIn(service, APP);
    jar.cookies.delete('__Host-doorcode-session');
    const page = await service.get(link(APP), jar, BROWSER);
    t.equal(page.statusCode, 200);
    t.match(page.body, 'your browser did not keep the sign-in');
    t.match(page.body, `name="next" value="${APP}/"`, 'and can try again');
    t.notMatch((await service.get(link(APP), jar, BROWSER)).body, 'did not keep', 'once');
  }
  t.equal(eventsIn(service, 'sys_session_cookie_lost').length, 1);
});

t.test('a user who signs out at once, or whose session is long gone, is not told that', async (t) => {
  const service = await testApp({ env: ENV });
  const { jar } = await signIn(service);
  await service.postForm('/logout', {}, jar);
  t.notMatch((await service.get('/login', jar, BROWSER)).body, 'did not keep');
  const later = await signIn(service);
  later.jar.cookies.delete('__Host-doorcode-session');
  service.clock.advance(31);
  t.notMatch((await service.get('/login', later.jar, BROWSER)).body, 'did not keep');
});

t.test('a browser that does not keep the cookie of the login is told so, not shown an empty form', async (t) => {
  const service = await testApp({ env: ENV });
  const referer = `https://login.example.com${link(`${APP}/inbox`)}`;
  const headers = { ...BROWSER, host: 'login.example.com', referer };
  const page = await service.get('/otp', new CookieJar(), headers);
  t.equal(page.statusCode, 200);
  t.match(page.body, 'Your browser did not keep the cookie');
  t.match(page.body, `name="next" value="${APP}/inbox"`);
  for (const other of [
    {},
    { referer: 'https://evil.example/login' },
    { referer: 'https://login.example.com/' },
    { referer: 'x' },
  ])
    t.match(await service.get('/otp', new CookieJar(), { ...BROWSER, host: 'login.example.com', ...other }), {
      statusCode: 303,
      headers: { location: '/login' },
    });
});

t.test('a login that expires on the code page is no lost cookie', async (t) => {
  const service = await testApp({ env: ENV });
  const jar = new CookieJar();
  const headers = { ...BROWSER, host: 'login.example.com', referer: 'https://login.example.com/login' };
  await service.postForm('/login', { username: ALICE.username, password: PASSWORD }, jar);
  await service.get('/otp', jar, headers);
  jar.cookies.delete('__Host-doorcode-challenge');
  t.match(await service.get('/otp', jar, headers), { statusCode: 303, headers: { location: '/login' } });
});

t.test('a login that expires on the code page goes on to where its user wanted to go', async (t) => {
  const next = `${APP}/inbox?a=1&b=2`;
  const service = await testApp({ env: ENV });
  const expired = async () => {
    const jar = new CookieJar();
    await service.postForm('/login', { username: ALICE.username, password: PASSWORD, next }, jar);
    await service.get('/otp', jar, BROWSER);
    service.clock.advance(700);
    // As browsers do after Max-Age.
    jar.cookies.delete('__Host-doorcode-challenge');
    return jar;
  };
  const back = link(next);
  const reloaded = await expired();
  t.match(await service.get('/otp', reloaded, BROWSER), { statusCode: 303, headers: { location: back } }, 'reload');
  for (const [path, body] of [
    ['/otp', { otp: '123456' }],
    ['/otp/resend', { channel: 'sms' }],
  ] as const) {
    const jar = await expired();
    t.match(await service.postForm(path, body, jar), { statusCode: 303, headers: { location: '/otp' } }, path);
    t.match(await service.get('/otp', jar, BROWSER), { statusCode: 303, headers: { location: back } }, path);
    const page = await service.get(back, jar, BROWSER);
    t.match(page.body, 'Please log in again.');
    t.match(page.body, 'name="next" value="https://app.example.com/inbox?a=1&amp;b=2"');
  }
  const invalid = await service.postForm('/otp', { otp: 'x' }, await expired());
  t.match(invalid.body, 'name="next" value="https://app.example.com/inbox?a=1&amp;b=2"');
  // Browsers repeat the Referer when they reload.
  const headers = { ...BROWSER, host: 'login.example.com', referer: `https://login.example.com${back}` };
  t.match(
    await service.get('/otp', await expired(), headers),
    { statusCode: 303, headers: { location: back } },
    'Referer',
  );
  const dayLater = await expired();
  service.clock.advance(86_400);
  t.match(await service.get('/otp', dayLater, BROWSER), { headers: { location: '/login' } });
});
