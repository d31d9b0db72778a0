import t from 'tap';
import { parseNotice } from '../../src/pages/notice.ts';
import { BROWSER, CookieJar, PASSWORD, testApp } from '../support/build-app.ts';

const NOW_MS = Date.UTC(2030, 0, 1);
const GOOD = { typ: 'notice', exp: NOW_MS / 1000 + 60, code: 'otp_invalid', attemptsLeft: 4, about: 'id' };

t.test('a notice is read back as it was left', async (t) => {
  t.match(parseNotice(GOOD, NOW_MS), { code: 'otp_invalid', attemptsLeft: 4, about: 'id' });
  const login = { ...GOOD, code: 'too_many_requests', retryAt: 1, username: 'a', next: '/x', about: undefined };
  t.match(parseNotice(login, NOW_MS), { code: 'too_many_requests', retryAt: 1, username: 'a', next: '/x' });
});

t.test('what is no notice, or an old one, says nothing', async (t) => {
  const wrong: unknown[] = [
    null,
    'notice',
    {},
    { ...GOOD, typ: 'session' },
    { ...GOOD, code: 'toString' },
    { ...GOOD, code: 7 },
    { ...GOOD, attemptsLeft: '4' },
    { ...GOOD, attemptsLeft: -1 },
    { ...GOOD, retryAt: 1.5 },
    { ...GOOD, username: 7 },
    { ...GOOD, next: {} },
    { ...GOOD, about: 'x'.repeat(2049) },
    { ...GOOD, exp: undefined },
    { ...GOOD, exp: NOW_MS / 1000 },
    // From the future: the clock was set back.
    { ...GOOD, exp: NOW_MS / 1000 + 3660 },
  ];
  for (const value of wrong) t.equal(parseNotice(value, NOW_MS), null, JSON.stringify(value));
});

t.test('it is sealed, for a minute, on our own site only, and never holds a password or a code', async (t) => {
  const { app, postForm, messages, get, clock } = await testApp();
  const jar = new CookieJar();
  const sealed: string[] = [];
  const failed = await postForm('/login', { username: 'alice', password: 'zebra-password' }, jar);
  t.match(failed.headers['set-cookie'], /^doorcode-notice=.*; Max-Age=60; Path=\/; HttpOnly; SameSite=Lax$/);
  sealed.push(jar.cookies.get('doorcode-notice') ?? '');
  await postForm('/login', { username: 'alice', password: PASSWORD }, jar);
  const wrong = String((Number(messages[0]?.code) + 1) % 1e6).padStart(6, '0');
  await postForm('/otp', { otp: wrong }, jar);
  sealed.push(jar.cookies.get('doorcode-notice') ?? '');
  t.equal(new Set(sealed).size, 2);
  for (const value of sealed) t.notMatch(decodeURIComponent(value), /alice|zebra/);

  const old = jar.clone();
  t.match((await get('/otp', jar, BROWSER)).body, 'Invalid one-time password.');
  t.not(jar.cookies.get('doorcode-notice'), old.cookies.get('doorcode-notice'), 'said once');
  t.notMatch((await get('/otp', jar, BROWSER)).body, 'Invalid one-time password.');
  clock.advance(59);
  t.match((await get('/otp', old.clone(), BROWSER)).body, 'Invalid one-time password.');
  clock.advance(1);
  t.notMatch((await get('/otp', old, BROWSER)).body, 'Invalid one-time password.', 'not for ever');
  await app.close();
});
