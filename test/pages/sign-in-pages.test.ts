import type { LightMyRequestResponse } from 'fastify';
import t, { type Test } from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import type { DoorcodeEvent } from '../../src/events.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { BROWSER, CookieJar, PASSWORD, type TestApp, testApp, wrongCode } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

const COOLDOWN = { env: { RESEND_COOLDOWN: '30' } };
const form = (username: string, more = {}) => ({ username, password: PASSWORD, ...more });

/** What a browser does with an answer: it follows redirects, with the cookies it was given. */
async function follow({ get }: TestApp, jar: CookieJar, response: LightMyRequestResponse) {
  const way: string[] = [];
  let answer = response;
  while (answer.statusCode === 303) {
    way.push(String(answer.headers.location));
    answer = await get(way.at(-1) ?? '', jar, BROWSER);
  }
  return { way, body: answer.body, statusCode: answer.statusCode };
}

const message = (body: string) => /<p class="message (\w+)"[^>]*>([^<]*)</.exec(body)?.slice(1, 3).join(': ');
const about = (body: string) => / name="about" value="([^"]+)"/.exec(body)?.[1] ?? '';

/** A service, and a browser with an open login in it. */
async function atCodePage(options: Parameters<typeof testApp>[0] = COOLDOWN, next?: string) {
  const service = await testApp(options);
  const jar = new CookieJar();
  await service.postForm('/login', form('alice', next === undefined ? {} : { next }), jar);
  const { body } = await service.get('/otp', jar, BROWSER);
  const submit = async (url: string, fields: Record<string, string>, from = jar) =>
    follow(service, from, await service.postForm(url, fields, from));
  return { ...service, jar, body, code: service.messages.at(-1)?.code ?? '', submit };
}

t.test('a form that fails leads to a page that says why, and says it once', async (t) => {
  const { get, jar, submit, code, messages } = await atCodePage();
  const wrong = await submit('/otp', { otp: wrongCode(code) });
  t.match(wrong, { way: ['/otp'], statusCode: 200 });
  t.equal(message(wrong.body), 'error: Invalid one-time password. 4 tries left.');
  const again = await get('/otp', jar, BROWSER);
  t.equal(message(again.body), undefined);
  t.match(again.body, '<p id="tries">4 tries left.</p>', 'what is left is told all the same');
  const early = await submit('/otp/resend', { channel: 'sms' });
  t.match(message(early.body), /^error: Too many attempts in a short time\. Please try again in 30 s\.$/);
  t.equal(messages.length, 1);
});

t.test('a wrong password keeps the name and the target, and not the password', async (t) => {
  const service = await testApp();
  const { postForm } = service;
  const jar = new CookieJar();
  const username = `"><img src=x>`;
  const failed = await postForm('/login', { username, password: 'zebra-password', next: '/inbox?a=1&b' }, jar);
  t.match(failed, { statusCode: 303, body: '' });
  t.notMatch(JSON.stringify(failed.headers), 'zebra-password');
  const { way, body } = await follow(service, jar, failed);
  t.strictSame(way, ['/login?next=%2Finbox%3Fa%3D1%26b']);
  t.equal(message(body), 'error: Invalid username or password.');
  t.match(body, 'value="&quot;&gt;&lt;img src=x&gt;"');
  t.match(body, '<input type="hidden" name="next" value="/inbox?a=1&amp;b">');
  t.notMatch(body, 'zebra-password');
  const hostile = await postForm('/login', { username, password: 'x', next: '//evil.example' }, jar);
  t.equal(hostile.headers.location, '/login');
});

t.test('the same login twice sends one code, and both end at the code page', async (t) => {
  const service = await testApp(COOLDOWN);
  const { postForm, messages } = service;
  const jar = new CookieJar();
  const none = new CookieJar();
  const [first, second] = await Promise.all([
    postForm('/login', form('alice'), jar),
    // Sent before the answer to the first had come.
    postForm('/login', form('alice'), none),
  ]);
  t.equal(messages.length, 1);
  t.match(first, { statusCode: 303, headers: { location: '/otp' } });
  const end = await follow(service, jar.store(second), second);
  t.match(end, { way: ['/otp'], statusCode: 200 });
  t.equal(message(end.body), 'hint: We have just sent you a code. You can ask for another code in 30 s.');
  t.match(end.body, 'name="otp"');
  const code = messages[0]?.code ?? '';
  t.match(
    await postForm('/otp', { otp: code }, jar),
    { headers: { location: '/' } },
    'the first one’s cookie is there',
  );
});

t.test('one form sent twice is carried out once, whichever answer the browser takes', async (t) => {
  const service = await testApp({ env: { RESEND_COOLDOWN: '0' } });
  const { get, postForm, messages } = service;
  const showing = about((await get('/login', undefined, BROWSER)).body);
  const jars = [new CookieJar(), new CookieJar()] as const;
  const twice = (url: string, fields: (jar: CookieJar) => Promise<Record<string, string>>) =>
    Promise.all(jars.map(async (jar) => postForm(url, await fields(jar), jar)));
  const ofPage = async (jar: CookieJar) => ({ about: about((await get('/otp', jar, BROWSER)).body) });
  await twice('/login', async () => form('alice', { about: showing }));
  t.equal(messages.length, 1);
  await twice('/otp/resend', async (jar) => ({ channel: 'sms', ...(await ofPage(jar)) }));
  t.equal(messages.length, 2);
  const wrong = wrongCode(messages[1]?.code ?? '');
  await twice('/otp', async (jar) => ({ otp: wrong, ...(await ofPage(jar)) }));
  t.match((await get('/otp', jars[0], BROWSER)).body, '4 tries left.');
  const code = messages[1]?.code ?? '';
  await twice('/otp', async (jar) => ({ otp: code, ...(await ofPage(jar)) }));
  for (const jar of jars) t.match((await get('/', jar, BROWSER)).body, '<dd dir="auto">alice</dd>');
  // It is one session: signing out ends it in both.
  await postForm('/logout', {}, jars[0]);
  t.equal((await get('/session', jars[1])).statusCode, 401);
});

t.test('another password, another showing of the page, or no cookie: it is not the same form', async (t) => {
  const { get, postForm, messages, jar, code, body } = await atCodePage({ env: { RESEND_COOLDOWN: '0' } });
  const showing = about((await get('/login', undefined, BROWSER)).body);
  const login = (fields: object) => postForm('/login', form('bob', fields), new CookieJar());
  const location = async (answer: Promise<LightMyRequestResponse>) => (await answer).headers.location;
  t.equal(await location(login({ about: showing })), '/otp');
  t.equal(await location(login({ about: showing, password: 'wrong' })), '/login');
  t.equal(await location(login({})), '/otp');
  t.equal(messages.length, 3);
  t.equal(await location(postForm('/otp', { otp: code, about: about(body) }, jar.clone())), '/');
  const stranger = new CookieJar();
  t.equal(await location(postForm('/otp', { otp: code, about: about(body) }, stranger)), '/otp');
  t.notOk(stranger.cookies.has('doorcode-session'));
});

t.test('in a browser without that login, it says to wait, on the login page', async (t) => {
  const { submit, messages } = await atCodePage();
  const elsewhere = await submit('/login', form('alice', { next: '/inbox' }), new CookieJar());
  t.strictSame(elsewhere.way, ['/otp', '/login?next=%2Finbox']);
  t.match(message(elsewhere.body), /Please try again in 30 s/);
  t.match(elsewhere.body, 'value="alice"');
  t.equal(messages.length, 1);
});

t.test('a code that is sent twice signs in once, and the second answer does not hide the first', async (t) => {
  const { code, jar, submit, get } = await atCodePage(COOLDOWN, '/inbox');
  const late = jar.clone();
  t.strictSame((await submit('/otp', { otp: code })).way.slice(0, 1), ['/inbox']);
  const second = await submit('/otp', { otp: code }, late);
  t.match(message(second.body), 'error: This code was already used or replaced.', 'nobody is signed in by it');
  t.match(await get('/otp', jar, BROWSER), { statusCode: 303, headers: { location: '/' } }, 'back after success');
  t.match((await get('/', jar, BROWSER)).body, 'alice');
});

t.test('a resend that is sent again, from a page that is older than the last code, sends nothing', async (t) => {
  const { jar, submit, body, messages, clock } = await atCodePage();
  clock.advance(30);
  const fields = { channel: 'sms', about: about(body) };
  t.match(await submit('/otp/resend', fields), { way: ['/otp'], statusCode: 200 });
  t.equal(messages.length, 2);
  clock.advance(30);
  const again = await submit('/otp/resend', fields, jar);
  t.match(again, { way: ['/otp'], statusCode: 200 });
  t.equal(message(again.body), undefined);
  t.equal(messages.length, 2);
});

t.test('two tabs with two users: the older one is told, and costs the newer no guess', async (t) => {
  const events: DoorcodeEvent[] = [];
  const { code, body, submit, messages } = await atCodePage({
    ...COOLDOWN,
    ports: { events: (event) => void events.push(event) },
  });
  const bob = await submit('/login', form('bob'));
  t.match(bob.body, 'Signing in as bob');
  const stale = await submit('/otp', { otp: code, about: about(body) });
  t.match(stale, { way: ['/otp'], statusCode: 200 });
  t.equal(message(stale.body), 'hint: A newer code was sent from this browser. Please enter that one.');
  t.match(events.at(-1), { type: 'checked', flow: 'sign_in', outcome: 'otp_used', subject: 'bob' });
  t.match(stale.body, 'Signing in as bob');
  t.match(stale.body, '<p id="tries">5 tries left.</p>');
  const right = await submit('/otp', { otp: messages[1]?.code ?? '', about: about(stale.body) });
  t.match(right.body, '<dd dir="auto">bob</dd>');
  const late = await submit('/otp', { otp: code, about: about(body) });
  t.match(late, { way: ['/otp', '/'], body: '<dd dir="auto">bob</dd>' }, 'whoever is signed in is shown');
});

t.test('another user’s open login does not hide why a login failed', async (t) => {
  const { submit, clock, jar } = await atCodePage();
  await submit('/login', form('bob'), new CookieJar());
  clock.advance(1);
  const bob = await submit('/login', form('bob'), jar);
  t.strictSame(bob.way, ['/otp', '/login']);
  t.match(message(bob.body), /Please try again in 29 s/);
});

t.test('after the life of the code, the code page says so before anything is typed', async (t) => {
  const { get, jar, clock } = await atCodePage();
  clock.advance(59);
  t.match((await get('/otp', jar, BROWSER)).body, /data-ends-in="1000"[^>]*>.*0:01/);
  clock.advance(1);
  const page = await get('/otp', jar, BROWSER);
  t.equal(page.statusCode, 200);
  t.equal(message(page.body), 'error: One-time password has expired. Please ask for a new code.');
  t.notMatch(page.body, 'name="otp"');
  t.match(page.body, '<button type="submit" name="channel" value="sms">Text me again</button>');
  clock.advance(600);
  t.match(await get('/otp', jar, BROWSER), { statusCode: 303, headers: { location: '/login' } });
});

t.test('who has used up all tries is offered a new code, and it signs them in', async (t) => {
  const { code, submit, messages, clock, get, jar } = await atCodePage();
  for (const left of ['4 tries', '3 tries', '2 tries', 'One try', 'No tries']) {
    t.match((await submit('/otp', { otp: wrongCode(code) })).body, `${left} left.`);
  }
  const closed = await submit('/otp', { otp: code });
  t.equal(message(closed.body), 'error: Too many wrong codes. Please ask for a new code.');
  t.notMatch(closed.body, 'name="otp"');
  t.equal(message((await get('/otp', jar, BROWSER)).body), message(closed.body), 'also when it is reloaded');
  clock.advance(30);
  t.match(
    (await submit('/otp/resend', { channel: 'voice' })).body,
    /We are calling \+1\s•••\s•••\s••01 with your code\./,
  );
  t.match((await submit('/otp', { otp: messages[1]?.code ?? '' })).way, ['/']);
});

t.test('a locked account is told how long, also when the page is reloaded', async (t) => {
  const { code, submit, get, jar } = await atCodePage({ env: { ...COOLDOWN.env, LIMIT_ACCOUNT_FAILURES: '1' } });
  await submit('/otp', { otp: wrongCode(code) });
  const locked = 'error: Too many wrong codes. This account is locked for a while. Please try again in 15 min.';
  t.equal(message((await submit('/otp', { otp: code })).body), locked);
  const page = await get('/otp', jar, BROWSER);
  t.equal(message(page.body), locked);
  t.notMatch(page.body, /name="otp"|name="channel"/);
  t.match(page.body, '<a href="/login">Use another account</a>');
});

t.test('a login that was closed elsewhere leads to the login page, by name', async (t) => {
  const { get, jar, submit, code, ...service } = await atCodePage(COOLDOWN, '/inbox');
  const copy = jar.clone();
  await submit('/otp', { otp: code });
  const end = await follow({ get, ...service } as never, copy, await get('/otp', copy, BROWSER));
  t.strictSame(end.way, ['/login?next=%2Finbox']);
  t.match(message(end.body), 'This code was already used or replaced.');
  t.match(end.body, 'value="alice"');
  t.notOk(copy.cookies.has('doorcode-challenge'));
});

t.test('while the limits are away the page is there, and what was typed stays good', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  let away = false;
  const unreliable = new Proxy(limits, {
    get: (target, name: keyof typeof limits) =>
      away ? () => Promise.reject(new DoorcodeError('limits_unavailable')) : target[name].bind(target),
  });
  const { get, jar, submit, code } = await atCodePage({ ...COOLDOWN, clock, ports: { limits: unreliable } });
  away = true;
  const page = await get('/otp', jar, BROWSER);
  t.equal(page.statusCode, 200);
  t.match(page.body, '<p id="tries"></p>');
  t.match(page.body, 'id="wait" data-ends-in="30000"');
  const failed = await submit('/otp', { otp: code });
  t.match(message(failed.body), 'error: Sign-in is not available right now. Your code stays good until it expires.');
  away = false;
  t.match((await submit('/otp', { otp: code })).way, ['/']);
});

t.test('only our own forms may write a code as people do', async (t) => {
  const spaced = (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`;
  await t.test('with what our page says', async (t: Test) => {
    const { code, submit, body } = await atCodePage();
    t.match((await submit('/otp', { otp: spaced(code), about: about(body) })).way, ['/']);
  });
  await t.test('without it', async (t: Test) => {
    const { code, jar, postForm, submit, ...service } = await atCodePage();
    t.equal((await postForm('/otp', { otp: spaced(code) }, jar)).statusCode, 400);
    t.equal((await service.post('/otp', { otp: spaced(code) }, jar)).statusCode, 400, 'JSON');
    t.equal((await service.post('/otp', { otp: code, about: 'x' }, jar)).statusCode, 400, 'JSON with what forms have');
    t.match((await submit('/otp', { otp: code })).way, ['/']);
  });
});
