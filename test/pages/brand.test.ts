import { join } from 'node:path';
import t from 'tap';
import { BROWSER, testApp } from '../support/build-app.ts';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>';

const hrefs = (html: string) => ({
  css: /<link rel="stylesheet" href="([^"]+)"/.exec(html)?.[1] ?? '',
  icon: /<link rel="icon" href="([^"]+)"/.exec(html)?.[1] ?? '',
  logo: /<img class="logo" src="([^"]+)" alt="([^"]*)">/.exec(html)?.[1],
});

t.test('the stylesheet begins with the brand’s colours, and its address changes with them', async (t) => {
  const plain = await testApp();
  const orange = await testApp({ env: { BRAND_COLOR: '#c2410c' } });
  const [one, other] = await Promise.all(
    [plain, orange].map(async ({ get }) => hrefs((await get('/login', undefined, BROWSER)).body)),
  );
  t.not(one?.css, other?.css);
  const { body } = await orange.get(other?.css ?? '');
  t.match(body, /^:root\{--face:#c2410c;--on-face:#ffffff;--link:#c2410c\}\n@media \(prefers-color-scheme:dark\)/);
  t.match(await orange.get(other?.icon ?? ''), {
    statusCode: 200,
    headers: { 'content-type': 'image/svg+xml' },
    body: /fill="#c2410c"/,
  });
});

t.test('a logo from a file comes from us, and stands for the name', async (t) => {
  const dir = t.testdir({ 'logo.svg': SVG });
  const { get } = await testApp({ env: { LOGO_FILE: join(dir, 'logo.svg'), APP_NAME: 'Acme "One"' } });
  const page = await get('/login', undefined, BROWSER);
  const { logo = '' } = hrefs(page.body);
  t.match(logo, /^\/assets\/logo-[0-9a-f]{12}\.svg$/);
  t.match(page.body, 'alt="Acme &quot;One&quot;"');
  t.notMatch(page.body, 'class="brand"');
  const answer = await get(logo);
  t.match(answer.headers, {
    'content-type': 'image/svg+xml',
    'cache-control': 'public, max-age=31536000, immutable',
    // Opened by itself, a picture may do no more than a page.
    'content-security-policy': /^default-src 'none';/,
  });
  t.equal(answer.body, SVG);
});

t.test('a logo from elsewhere is let in from there, and nothing else is', async (t) => {
  const { get } = await testApp({ env: { LOGO_URL: 'https://cdn.example.com/a/logo.png?v=1' } });
  const page = await get('/login', undefined, BROWSER);
  t.equal(hrefs(page.body).logo, 'https://cdn.example.com/a/logo.png?v=1');
  t.match(page.headers['content-security-policy'], "img-src 'self' https://cdn.example.com;");
});
