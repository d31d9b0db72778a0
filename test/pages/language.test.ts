import t from 'tap';
import { locales } from '../../src/pages/locales/locales.ts';
import { BROWSER, CookieJar, PASSWORD, testApp } from '../support/build-app.ts';

t.test('a language that is chosen holds on every page, whatever the browser prefers', async (t) => {
  const { get, postForm, messages } = await testApp();
  const jar = new CookieJar();
  const french = { ...BROWSER, 'accept-language': 'fr' };
  const chosen = await get('/login?next=%2Finbox&lang=de', jar, french);
  t.match(chosen, { statusCode: 303, headers: { location: '/login?next=%2Finbox' } });
  t.match(chosen.headers['set-cookie'], /^doorcode-locale=de; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/);
  const page = await get('/login?next=%2Finbox', jar, french);
  t.match(page.body, '<html lang="de">');
  t.equal(page.headers['content-language'], 'de');
  t.match(page.body, '<a href="/login?next=%2Finbox&amp;lang=zh" lang="zh" hreflang="zh" rel="nofollow">中文</a>');
  t.match(page.body, '<span lang="de" aria-current="true">Deutsch</span>');

  await postForm('/login', { username: 'alice', password: PASSWORD }, jar);
  t.equal(messages[0]?.locale, 'de', 'the message, too');
  t.match((await get('/otp', jar, french)).body, locales.de.otp.title);
  t.match(await get('/otp?lang=es', jar, french), { statusCode: 303, headers: { location: '/otp' } });
  t.match((await get('/otp', jar, french)).body, locales.es.otp.title);
  t.match((await get('/nowhere', jar, french)).body, locales.es.error.title);
  t.equal(messages.length, 1, 'nothing is sent for a language');
});

t.test('a language that there is not changes nothing', async (t) => {
  const { get } = await testApp();
  for (const lang of ['it', '', 'DE', '__proto__', 'de&lang=fr']) {
    const page = await get(`/login?lang=${lang}`, undefined, BROWSER);
    t.equal(page.statusCode, 200, lang);
    t.notOk(page.headers['set-cookie'], lang);
  }
  const forged = await get('/login', undefined, { ...BROWSER, cookie: 'doorcode-locale=x"><b>' });
  t.match(forged.body, '<html lang="en">');
});

t.test('over https no subdomain sets the choice, and one that was made before still holds', async (t) => {
  const { get } = await testApp({ env: { ORIGIN: 'https://login.example.com', COOKIE_DOMAIN: 'example.com' } });
  t.match(
    (await get('/login?lang=de', undefined, BROWSER)).headers['set-cookie'],
    /^__Host-doorcode-locale=de; Max-Age=31536000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  for (const [cookie, lang] of [
    ['doorcode-locale=es; __Host-doorcode-locale=de', 'de'],
    ['doorcode-locale=es; __Host-doorcode-locale=x', 'es'],
    ['doorcode-locale=es', 'es'],
  ] as const)
    t.match((await get('/login', undefined, { ...BROWSER, cookie })).body, `<html lang="${lang}">`, cookie);
});

t.test('a choice never leads to another host', async (t) => {
  const { get } = await testApp();
  for (const path of ['//evil.example/login?lang=de', '/login?next=//evil.example&lang=de']) {
    const { headers, statusCode } = await get(path, undefined, BROWSER);
    if (statusCode === 303) t.match(headers.location, /^\/login(\?|$)/);
  }
});
