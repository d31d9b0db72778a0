import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { readConfig } from '../../src/config.ts';
import { DoorcodeError, type ProblemCode, problems } from '../../src/errors.ts';
import { en } from '../../src/pages/locales/en.ts';
import type { OtpView } from '../../src/pages/otp-page.ts';
import { type PageSettings, type Pages, registerPages } from '../../src/pages/render.ts';
import { BROWSER, testApp } from '../support/build-app.ts';

const { brand } = readConfig({});
const SETTINGS: PageSettings = {
  appName: 'doorcode',
  brand,
  otpDigits: 6,
  otpTtlSeconds: 60,
  channels: ['sms', 'voice'],
  languages: { of: () => 'en' },
};
const OTP: OtpView = {
  user: 'alice',
  to: '•••01',
  channel: 'sms',
  about: 'the-id-of-a-challenge-',
  next: '/',
  expiresInMs: 60_000,
  resendInMs: 0,
  attemptsLeft: 5,
};
const LOGIN = { next: '/', username: '', about: 'a-showing' };
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
  const rest = html.replace(/<script type="module" src="\/assets\/doorcode-[0-9a-f]{12}\.js"><\/script>/, '');
  t.equal(html.length - rest.length > 0, true, `${label}: the script`);
  t.notMatch(
    rest,
    /<script|<style|\sstyle=|\son[a-z]+=|javascript:|<img|undefined|null|NaN|\[object/,
    `${label}: nothing else`,
  );
  t.notMatch(html, /https?:/, `${label}: nothing from elsewhere`);
  for (const [, id] of html.matchAll(/<label for="([^"]+)"/g))
    t.match(html, ` id="${id}"`, `${label}: ${id} is labelled`);
  const inputs = [...html.matchAll(/<input (?![^>]*type="hidden")[^>]*id="([^"]+)"/g)].map(([, id]) => id);
  for (const id of inputs) t.match(html, `<label for="${id}"`, `${label}: ${id} has a label`);
  for (const [, ids = ''] of html.matchAll(/aria-describedby="([^"]+)"/g))
    for (const id of ids.split(' ')) t.match(html, ` id="${id}"`, `${label}: ${id} is there`);
  t.ok((html.match(/ autofocus/g) ?? []).length <= 1, `${label}: one place to begin`);
}

t.test('each page in each state has the status, the words and nothing active', async (t) => {
  const show = await pageApp();
  const pages: Record<string, (problem?: DoorcodeError) => Show> = {
    login: (problem) => (pages, reply) => pages.login(reply, LOGIN, problem),
    otp: (problem) => (pages, reply) => pages.otp(reply, OTP, problem),
    error: (problem) => (pages, reply) => pages.error(reply, problem ?? new DoorcodeError('not_found')),
  };
  for (const [name, page] of Object.entries(pages)) {
    for (const code of codes) {
      const label = `${name}, ${code}`;
      const { statusCode, body, type } = await show(page(new DoorcodeError(code)));
      t.equal(statusCode, name === 'error' ? problems[code].status : 200, label);
      t.equal(type, 'text/html; charset=utf-8', label);
      t.match(body, `<p class="message error" role="alert" id="message" tabindex="-1"`, label);
      t.match(body, `>${en.problems[code]}</p>`, label);
      checkPage(t, body, label);
    }
  }
  for (const name of ['login', 'otp'] as const) {
    const { statusCode, body } = await show(pages[name]?.() as Show);
    t.equal(statusCode, 200, name);
    t.notMatch(body, 'id="message"', `${name}: no alarm without a reason`);
    checkPage(t, body, name);
  }
  const sinceMs = Date.UTC(2030, 0, 1);
  const home = await show((pages, reply) =>
    pages.home(reply, { user: 'alice', sinceMs, untilMs: sinceMs + 43_200_000 }),
  );
  t.equal(home.statusCode, 200);
  t.match(home.body, '<dt>Signed in as</dt><dd dir="auto">alice</dd>');
  t.match(home.body, /<time datetime="2030-01-01T00:00:00Z">January 1, 2030 at 12:00\sAM UTC<\/time>/);
  t.match(home.body, /<form method="post" action="\/logout"><button type="submit"[^>]*>Sign out<\/button><\/form>/);
  checkPage(t, home.body, 'home');
});

t.test('every failure has words of its own', async (t) => {
  t.strictSame(Object.keys(en.problems), codes);
});

t.test('the next step has the focus: the message to read, or the field to type in again', async (t) => {
  const show = await pageApp();
  const focus = (body: string) => /<(?:p|input)[^>]* id="(\w+)"[^>]* autofocus/.exec(body)?.[1];
  for (const [code, id] of [
    ['otp_invalid', 'otp'],
    ['newerCode', 'otp'],
    ['codeSentAlready', 'otp'],
    ['account_locked', 'message'],
    ['limits_unavailable', 'message'],
    ['too_many_requests', 'message'],
    ['delivery_failed', 'message'],
  ] as const) {
    t.equal(focus((await show((pages, reply) => pages.otp(reply, OTP, { code }))).body), id, code);
  }
  const over = { ...OTP, expiresInMs: 0 };
  const spent = { ...OTP, attemptsLeft: 0 };
  t.equal(focus((await show((pages, reply) => pages.otp(reply, spent, { code: 'otp_invalid' }))).body), 'message');
  t.equal(focus((await show((pages, reply) => pages.otp(reply, over, { code: 'otp_expired' }))).body), 'message');
  const fields = { ...LOGIN, username: 'alice' };
  for (const [code, id] of [
    ['invalid_credentials', 'password'],
    ['challenge_missing', 'message'],
    ['overloaded', 'message'],
  ] as const) {
    t.equal(focus((await show((pages, reply) => pages.login(reply, fields, { code }))).body), id, code);
  }
});

t.test('password managers and phones know what the fields are', async (t) => {
  const show = await pageApp({ otpDigits: 8 });
  const { body: login } = await show((pages, reply) => pages.login(reply, LOGIN));
  t.match(login, '<form method="post" action="/login">');
  t.match(login, /<input id="username" name="username" autocomplete="username"[^>]* required autofocus /);
  t.match(login, /<input id="password" name="password" type="password" autocomplete="current-password"[^>]* required>/);
  t.notMatch(login, 'name="next"');
  const { body: again } = await show((pages, reply) =>
    pages.login(reply, { ...LOGIN, next: '/a?b=1&c', username: 'alice' }),
  );
  t.match(again, /name="username"[^>]*value="alice"/);
  t.match(again, /<input id="password"[^>]* autofocus>/, 'what is left to type has the cursor');
  t.match(again, '<input type="hidden" name="next" value="/a?b=1&amp;c">');
  const { body: otp } = await show((pages, reply) => pages.otp(reply, OTP));
  t.match(otp, /<input id="otp" name="otp"[^>]* inputmode="numeric" autocomplete="one-time-code" /);
  t.match(otp, /<input id="otp"[^>]* data-digits="8" required autofocus /);
  const pattern = new RegExp(`^(?:${/ pattern="([^"]+)"/.exec(otp)?.[1]})$`, 'v');
  for (const typed of ['12345678', '1234 5678', ' 1234-5678 ', '１２３４５６７８']) t.match(typed, pattern);
  for (const typed of ['1234567', '123456789', '1234567x', '']) t.notMatch(typed, pattern);
  t.match(otp, '<label for="otp">8-digit code</label>');
});

t.test('whatever stands on a page stands there as text', async (t) => {
  const hostile = `"><img src=x onerror=alert(1)>'&<script>`;
  const escaped = '&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;&amp;&lt;script&gt;';
  const show = await pageApp({ appName: hostile });
  const shows: Record<string, Show> = {
    login: (pages, reply) => pages.login(reply, { ...LOGIN, next: hostile, username: hostile }),
    otp: (pages, reply) => pages.otp(reply, { ...OTP, user: hostile, to: hostile, about: hostile, next: hostile }),
    home: (pages, reply) => pages.home(reply, { user: hostile, sinceMs: 0, untilMs: 0 }),
    error: (pages, reply) => pages.error(reply, new DoorcodeError('not_found', { title: hostile, detail: hostile })),
  };
  // Twice each for the name of the application, in the title and above the page.
  const times: Record<string, number> = { login: 2 + 2, otp: 2 + 3, home: 2 + 1, error: 2 };
  for (const [name, page] of Object.entries(shows)) {
    const { body } = await show(page);
    t.notMatch(body, /<img|<script>|onerror=alert\(1\)>/, name);
    t.equal(body.split(escaped).length - 1, times[name], `${name}: as often as it was put there`);
  }
});

t.test('a template’s own marks in a value are not carried out', async (t) => {
  const show = await pageApp();
  const { body } = await show((pages, reply) => pages.login(reply, { ...LOGIN, username: '<%= it.stylesheet %>{to}' }));
  t.match(body, 'value="&lt;%= it.stylesheet %&gt;{to}"');
});

t.test('the code page says where the code went, and how long it is good for', async (t) => {
  const show = await pageApp({ otpTtlSeconds: 90 });
  const sms = await show((pages, reply) => pages.otp(reply, OTP));
  t.match(sms.body, 'We sent a code by text message to •••01.');
  t.match(sms.body, '<p class="unscripted">It is good for 90 seconds from the moment it was sent.</p>');
  const voice = await show((pages, reply) => pages.otp(reply, { ...OTP, channel: 'voice' }));
  t.match(voice.body, 'We are calling •••01 with your code.');
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
