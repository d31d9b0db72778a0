import t from 'tap';
import { createComposer } from '../../../src/delivery/message.ts';
import { segmentInfo } from '../../../src/delivery/sms-segment.ts';
import { silentLog } from '../../../src/log.ts';
import { en } from '../../../src/pages/locales/en.ts';
import { localeNames, locales, supportedLocale } from '../../../src/pages/locales/locales.ts';
import { BROWSER, CookieJar, PASSWORD, testApp } from '../../support/build-app.ts';

/** Every text by its path, e.g. `otp.title`. */
function texts(value: object, path = ''): [path: string, text: string][] {
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'string' ? [[path + name, inner] as [string, string]] : texts(inner, `${path}${name}.`),
  );
}

const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

t.test('every language says everything, with the same things filled in', async (t) => {
  const english = new Map(texts(en));
  for (const name of localeNames) {
    const own = texts(locales[name]);
    t.strictSame(own.map(([path]) => path).sort(), [...english.keys()].sort(), name);
    for (const [path, text] of own) {
      t.strictSame(placeholders(text), placeholders(english.get(path) ?? ''), `${name}: ${path}`);
      t.match(text, /^\S.*\S$/s, `${name}: ${path}`);
    }
  }
  t.strictSame(Object.keys(locales), localeNames);
});

t.test('an SMS is one segment in every language, with a name and a host of some length', async (t) => {
  const compose = createComposer({
    texts: locales,
    appName: 'Northwind Traders',
    host: 'login.example.com',
    log: silentLog,
  });
  for (const locale of localeNames) {
    const { text, locale: written } = compose({
      channel: 'sms',
      to: '+15550100101',
      code: '123456',
      locale,
      expiresAt: 0,
    });
    const { fits, units, limit, encoding } = segmentInfo(text);
    t.equal(written, locale, 'not left out');
    t.ok(fits, `${locale}: ${units} of ${limit}, ${encoding}`);
    t.equal(encoding, locale === 'zh' ? 'ucs2' : 'gsm7', locale);
    t.match(text, /\n@login\.example\.com #123456$/);
  }
});

t.test('pages are in the language that the browser asks for, else in English', async (t) => {
  const { get } = await testApp();
  const table: [header: string | undefined, lang: string][] = [
    [undefined, 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['ja', 'en'],
    ['de', 'de'],
    ['de-AT,de;q=0.9,en;q=0.5', 'de'],
    ['ja,fr;q=0.8,en;q=0.7', 'fr'],
    ['pt-BR', 'pt'],
    ['zh-CN,zh;q=0.9', 'zh'],
    ['es;q=0', 'en'],
    [`de${',xx'.repeat(1000)}`, 'en'],
  ];
  for (const [header, lang] of table) {
    const page = await get('/login', undefined, {
      ...BROWSER,
      ...(header === undefined ? {} : { 'accept-language': header }),
    });
    t.match(page.body, `<html lang="${lang}">`, header ?? 'no header');
    t.match(page.body, locales[lang as keyof typeof locales].login.password);
    t.equal(page.headers['content-language'], lang);
  }
});

t.test('a message is in the user’s own language, else in the one that the browser asks for', async (t) => {
  const users = [
    { username: 'alice', phone: '+15550100101' },
    { username: 'dora', phone: '+4915550100', locale: 'de' },
  ];
  const { post, messages } = await testApp({ users });
  for (const username of ['alice', 'dora']) {
    await post('/login', { username, password: PASSWORD }, new CookieJar(), { 'accept-language': 'fr' });
  }
  t.strictSame(
    messages.map(({ locale }) => locale),
    ['fr', 'de'],
  );
});

t.test('a tag is served by its language, and what there are no words in by the first', async (t) => {
  for (const [tag, locale] of [
    ['de-AT', 'de'],
    ['PT', 'pt'],
    ['zh-Hant-TW', 'zh'],
    ['it', 'en'],
    ['constructor', 'en'],
  ] as const) {
    t.equal(supportedLocale(tag), locale);
  }
});
