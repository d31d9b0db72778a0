import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { DoorcodeError, type ProblemCode, type ProblemOptions, problems } from '../../src/errors.ts';
import { en } from '../../src/pages/locales/en.ts';
import { type PageSettings, type Pages, registerPages } from '../../src/pages/render.ts';
import { ALICE, BROWSER, CookieJar, PASSWORD, testApp, wrongCode } from '../support/build-app.ts';

const SETTINGS: PageSettings = { appName: 'doorcode', otpDigits: 6, otpTtlSeconds: 60, channels: ['sms', 'voice'] };
const codes = Object.keys(problems) as ProblemCode[];

type Show = (pages: Pages, reply: Parameters<Pages['error']>[0]) => unknown;

/** Shows pages without the rest of the service around them. */
async function pageApp(settings: Partial<PageSettings> = {}) {
  const app = Fastify();
  const pages = await registerPages(app, { ...SETTINGS, ...settings });
  let next: Show = () => {};
  app.get('/', (_request, reply) => next(pages, reply));
  return async (show: Show) => {
    next = show;
    const { statusCode, body, headers } = await app.inject('/');
    return { statusCode, body, type: headers['content-type'] };
  };
}

/** What every page must be, whatever stands on it. */
function checkPage(t: Test, html: string, label: string) {
  t.match(html, /^<!doctype html>\n<html lang="en">/, `${label}: a page in English`);
  t.match(html, /<title>[^<]+ · [^<]+<\/title>/, `${label}: a title`);
  t.match(html, /<h1>[^<]+<\/h1>/, `${label}: a heading`);
  t.match(html, /<link rel="stylesheet" href="\/assets\/doorcode-[0-9a-f]{12}\.css">/, `${label}: the stylesheet`);
  t.notMatch(
    html,
    /<script|<style|\sstyle=|\son[a-z]+=|javascript:|<img|undefined|null|\[object/,
    `${label}: nothing else`,
  );
  t.notMatch(html, /https?:/, `${label}: nothing from elsewhere`);
  for (const [, id] of html.matchAll(/<label for="([^"]+)"/g))
    t.match(html, ` id="${id}"`, `${label}: ${id} is labelled`);
  const inputs = [...html.matchAll(/<input (?![^>]*type="hidden")[^>]*id="([^"]+)"/g)].map(([, id]) => id);
  for (const id of inputs) t.match(html, `<label for="${id}"`, `${label}: ${id} has a label`);
  for (const [, id] of html.matchAll(/aria-describedby="([^"]+)"/g))
    t.match(html, ` id="${id}"`, `${label}: ${id} is there`);
  t.ok((html.match(/ autofocus/g) ?? []).length <= 1, `${label}: one place to begin`);
}

t.test('each page in each state has the status, the words and nothing active', async (t) => {
  const show = await pageApp();
  const pages: Record<string, (problem?: DoorcodeError) => Show> = {
    login: (problem) => (pages, reply) => pages.login(reply, { next: '/' }, problem),
    otp: (problem) => (pages, reply) => pages.otp(reply, { to: '•••01', channel: 'sms' }, problem),
    error: (problem) => (pages, reply) => pages.error(reply, problem ?? new DoorcodeError('not_found')),
  };
  for (const [name, page] of Object.entries(pages)) {
    for (const code of codes) {
      const label = `${name}, ${code}`;
      const { statusCode, body, type } = await show(page(new DoorcodeError(code)));
      t.equal(statusCode, problems[code].status, label);
      t.equal(type, 'text/html; charset=utf-8', label);
      t.match(body, `<p class="error" role="alert" id="error">${en.problems[code]}</p>`, label);
      checkPage(t, body, label);
    }
  }
  for (const name of ['login', 'otp'] as const) {
    const { statusCode, body } = await show(pages[name]?.() as Show);
    t.equal(statusCode, 200, name);
    t.notMatch(body, 'class="error"', `${name}: no alarm without a reason`);
    checkPage(t, body, name);
  }
  const since = '2030-01-01T00:00:00Z';
  const home = await show((pages, reply) => pages.home(reply, { user: 'alice', since, until: '2030-01-01T12:00:00Z' }));
  t.equal(home.statusCode, 200);
  t.match(home.body, '<dt>Signed in as</dt><dd>alice</dd>');
  t.match(home.body, `<time datetime="${since}">${since}</time>`);
  t.match(home.body, '<form method="post" action="/logout"><button type="submit">Sign out</button></form>');
  checkPage(t, home.body, 'home');
});

t.test('every failure has words of its own', async (t) => {
  t.strictSame(Object.keys(en.problems), codes);
});

t.test('a status of its own wins over that of the problem', async (t) => {
  const show = await pageApp();
  const problem = new DoorcodeError('otp_expired');
  const otp = { to: '•••01', channel: 'sms' } as const;
  t.equal((await show((pages, reply) => pages.otp(reply, otp, problem, 200))).statusCode, 200);
  const large = new DoorcodeError('invalid_request', { status: 413 });
  t.equal((await show((pages, reply) => pages.login(reply, { next: '/' }, large))).statusCode, 413);
});

t.test('password managers and phones know what the fields are', async (t) => {
  const show = await pageApp({ otpDigits: 8 });
  const { body: login } = await show((pages, reply) => pages.login(reply, { next: '/' }));
  t.match(login, '<form method="post" action="/login">');
  t.match(login, /<input id="username" name="username" autocomplete="username"[^>]* required autofocus /);
  t.match(login, /<input id="password" name="password" type="password" autocomplete="current-password"[^>]* required>/);
  t.notMatch(login, 'name="next"');
  const { body: again } = await show((pages, reply) => pages.login(reply, { next: '/a?b=1&c', username: 'alice' }));
  t.match(again, /name="username"[^>]*value="alice"/);
  t.match(again, /<input id="password"[^>]* autofocus>/, 'what is left to type has the cursor');
  t.match(again, '<input type="hidden" name="next" value="/a?b=1&amp;c">');
  const { body: otp } = await show((pages, reply) => pages.otp(reply, { to: '•••01', channel: 'sms' }));
  t.match(otp, /<input id="otp" name="otp"[^>]* inputmode="numeric" autocomplete="one-time-code" /);
  t.match(otp, ' pattern="[0-9]{8}" maxlength="8" required autofocus');
  t.match(otp, '<label for="otp">8-digit code</label>');
});

t.test('whatever stands on a page stands there as text', async (t) => {
  const hostile = `"><img src=x onerror=alert(1)>'&<script>`;
  const escaped = '&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;&amp;&lt;script&gt;';
  const show = await pageApp({ appName: hostile });
  const shows: Record<string, Show> = {
    login: (pages, reply) => pages.login(reply, { next: hostile, username: hostile }),
    otp: (pages, reply) => pages.otp(reply, { to: hostile, channel: 'voice' }),
    home: (pages, reply) => pages.home(reply, { user: hostile, since: hostile, until: hostile }),
    error: (pages, reply) => pages.error(reply, new DoorcodeError('not_found', { title: hostile, detail: hostile })),
  };
  // Twice each for the name of the application, in the title and above the page.
  const times: Record<string, number> = { login: 2 + 2, otp: 2 + 1, home: 2 + 5, error: 2 };
  for (const [name, page] of Object.entries(shows)) {
    const { body } = await show(page);
    t.notMatch(body, /<img|<script|onerror=alert\(1\)>/, name);
    t.equal(body.split(escaped).length - 1, times[name], `${name}: as often as it was put there`);
  }
});

t.test('a template’s own marks in a value are not carried out', async (t) => {
  const show = await pageApp();
  const { body } = await show((pages, reply) =>
    pages.login(reply, { next: '/', username: '<%= it.stylesheet %>{to}' }),
  );
  t.match(body, 'value="&lt;%= it.stylesheet %&gt;{to}"');
});

t.test('the code page says where the code went, and how long it is good for', async (t) => {
  const show = await pageApp({ otpTtlSeconds: 90 });
  const sms = await show((pages, reply) => pages.otp(reply, { to: '•••01', channel: 'sms' }));
  t.match(sms.body, 'We sent a code by text message to •••01. It is good for 90 seconds');
  const voice = await show((pages, reply) => pages.otp(reply, { to: '•••01', channel: 'voice' }));
  t.match(voice.body, 'We are calling •••01 with your code.');
});

const has = (body: string) => ({
  code: body.includes('name="otp"'),
  sms: body.includes('<button type="submit" name="channel" value="sms"'),
  voice: body.includes('<button type="submit" name="channel" value="voice"'),
});

t.test('a new code is offered by the ways that there are', async (t) => {
  for (const channels of [['sms'], ['voice'], ['sms', 'voice']] as const) {
    const show = await pageApp({ channels });
    const { body } = await show((pages, reply) => pages.otp(reply, { to: '•••01', channel: 'sms' }));
    t.match(body, '<form method="post" action="/otp/resend">');
    const { sms, voice } = has(body);
    t.strictSame(
      { sms, voice },
      { sms: channels.includes('sms' as never), voice: channels.includes('voice' as never) },
    );
  }
});

t.test('a page offers what can still help, and nothing else', async (t) => {
  const show = await pageApp();
  const offers: [ProblemCode, ProblemOptions, { code: boolean; resend: boolean }][] = [
    ['otp_invalid', { attemptsLeft: 4 }, { code: true, resend: true }],
    ['otp_invalid', { attemptsLeft: 1 }, { code: true, resend: true }],
    ['otp_invalid', { attemptsLeft: 0 }, { code: false, resend: true }],
    ['otp_attempts_exhausted', { attemptsLeft: 0 }, { code: false, resend: true }],
    ['otp_expired', {}, { code: false, resend: true }],
    ['otp_used', {}, { code: false, resend: false }],
    ['account_locked', { retryAfterSeconds: 900 }, { code: true, resend: false }],
    ['too_many_requests', { retryAfterSeconds: 30 }, { code: true, resend: true }],
    ['delivery_failed', {}, { code: true, resend: true }],
    ['limits_unavailable', { retryAfterSeconds: 1 }, { code: true, resend: true }],
    ['invalid_request', {}, { code: true, resend: true }],
  ];
  for (const [code, options, { code: mayGuess, resend }] of offers) {
    const { body } = await show((pages, reply) =>
      pages.otp(reply, { to: '•••01', channel: 'sms' }, new DoorcodeError(code, options)),
    );
    t.strictSame(has(body), { code: mayGuess, sms: resend, voice: resend }, `${code} ${JSON.stringify(options)}`);
    t.match(body, '<a href="/login">Use another account</a>', code);
  }
});

t.test('what is left and when to try again is told in words', async (t) => {
  const show = await pageApp();
  const sentences: [ProblemCode, ProblemOptions, string][] = [
    ['otp_invalid', { attemptsLeft: 4 }, 'Invalid one-time password. 4 tries left.'],
    ['otp_invalid', { attemptsLeft: 1 }, 'Invalid one-time password. One try left.'],
    ['otp_invalid', { attemptsLeft: 0 }, 'Invalid one-time password. No tries left. Please ask for a new code.'],
    ['otp_invalid', {}, 'Invalid one-time password.'],
    ['otp_attempts_exhausted', { attemptsLeft: 0 }, 'Too many wrong codes. Please ask for a new code.'],
    ['too_many_requests', { retryAfterSeconds: 1 }, 'Too many attempts in a short time. Please try again in 1 s.'],
    ['too_many_requests', { retryAfterSeconds: 119 }, 'Too many attempts in a short time. Please try again in 119 s.'],
    ['too_many_requests', { retryAfterSeconds: 120 }, 'Too many attempts in a short time. Please try again in 2 min.'],
    ['too_many_requests', { retryAfterSeconds: 121 }, 'Too many attempts in a short time. Please try again in 3 min.'],
    ['account_locked', { retryAfterSeconds: 900 }, 'This account is locked for a while. Please try again in 15 min.'],
  ];
  for (const [code, options, sentence] of sentences) {
    const { body } = await show((pages, reply) =>
      pages.otp(reply, { to: '•••01', channel: 'sms' }, new DoorcodeError(code, options)),
    );
    t.match(body, `${sentence}</p>`, sentence);
  }
});

t.test('the stylesheet is at the address that pages name, for ever', async (t) => {
  const { get } = await testApp();
  const page = await get('/login', undefined, BROWSER);
  t.equal(page.headers['cache-control'], 'no-store');
  t.match(page.headers['content-security-policy'], /default-src 'none'.*style-src 'self'/);
  const href = /<link rel="stylesheet" href="([^"]+)">/.exec(page.body)?.[1] ?? '';
  const css = await get(href);
  t.equal(css.statusCode, 200);
  t.equal(css.headers['content-type'], 'text/css; charset=utf-8');
  t.equal(css.headers['cache-control'], 'public, max-age=31536000, immutable');
  t.equal(css.headers['x-content-type-options'], 'nosniff');
  t.notMatch(css.body, /url\(|@import|https?:/);
  t.equal((await get('/assets/doorcode-000000000000.css')).statusCode, 404, 'another content has another address');
  t.equal((await get('/assets/../render.ts')).statusCode, 404);
});

t.test('after the life of the code, the code page says so before anything is typed', async (t) => {
  const { get, login, clock } = await testApp();
  const { jar } = await login();
  t.strictSame(has((await get('/otp', jar, BROWSER)).body), { code: true, sms: true, voice: true });
  clock.advance(59);
  t.match(has((await get('/otp', jar, BROWSER)).body), { code: true });
  clock.advance(1);
  const page = await get('/otp', jar, BROWSER);
  t.equal(page.statusCode, 200);
  t.match(page.body, 'One-time password has expired. Please ask for a new code.');
  t.strictSame(has(page.body), { code: false, sms: true, voice: true });
});

t.test('who has used up all tries is offered a new code, and it signs them in', async (t) => {
  const { postForm, get, messages } = await testApp();
  const jar = new CookieJar();
  await postForm('/login', { username: ALICE.username, password: PASSWORD }, jar);
  const first = messages[0]?.code ?? '';
  for (const left of ['4 tries', '3 tries', '2 tries', 'One try', 'No tries']) {
    t.match((await postForm('/otp', { otp: wrongCode(first) }, jar)).body, `${left} left.`);
  }
  const closed = await postForm('/otp', { otp: first }, jar);
  t.equal(closed.statusCode, 429);
  t.strictSame(has(closed.body), { code: false, sms: true, voice: true });
  t.match(await postForm('/otp/resend', { channel: 'voice' }, jar), { statusCode: 303, headers: { location: '/otp' } });
  t.match((await get('/otp', jar, BROWSER)).body, 'We are calling •••01 with your code.');
  t.match(await postForm('/otp', { otp: messages[1]?.code ?? '' }, jar), {
    statusCode: 303,
    headers: { location: '/' },
  });
});

t.test('a wrong password keeps the name and the target, and not the password', async (t) => {
  const { postForm } = await testApp();
  const username = `"><img src=x>`;
  const page = await postForm('/login', { username, password: 'zebra-password', next: '/inbox?a=1&b' });
  t.equal(page.statusCode, 401);
  t.match(page.body, 'Invalid username or password.');
  t.match(page.body, 'value="&quot;&gt;&lt;img src=x&gt;"');
  t.match(page.body, '<input type="hidden" name="next" value="/inbox?a=1&amp;b">');
  t.notMatch(page.body, 'zebra-password');
  const hostile = await postForm('/login', { username, password: 'x', next: '//evil.example' });
  t.notMatch(hostile.body, 'evil.example');
});
