import type { BrowserContextOptions, Page } from 'playwright-core';
import t from 'tap';
import { locales } from '../../../src/pages/locales/locales.ts';
import { closeBrowser, lastCode, logIn, stage } from '../../support/browser.ts';
import { PASSWORD, wrongCode } from '../../support/build-app.ts';

t.teardown(closeBrowser);

const LOOKS: Record<string, BrowserContextOptions> = {
  // What a window of 1280 by 720 has at 200 % zoom.
  'dark, 200 % zoom': { colorScheme: 'dark', viewport: { width: 640, height: 360 }, deviceScaleFactor: 2 },
  'Chinese, light, 320 px wide': { locale: 'zh-CN', colorScheme: 'light', viewport: { width: 320, height: 640 } },
  'no JavaScript, dark, 320 px wide': {
    javaScriptEnabled: false,
    colorScheme: 'dark',
    viewport: { width: 320, height: 640 },
  },
};

/** The id, or the words, of what has the focus; null when nothing shows that it has it. */
const focused = (page: Page) =>
  page.evaluate<string | null>(`(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    const shows = outlineStyle === 'solid' && outlineWidth !== '0px';
    return shows ? document.activeElement.id || document.activeElement.textContent : null;
  })()`);

/** Goes on with Tab until something has the focus; fails after a round. */
async function tabTo(page: Page, wanted: string) {
  for (let presses = 0; presses < 25; presses += 1) {
    if ((await focused(page)) === wanted) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${wanted} is not reached by Tab; the focus is on ${await focused(page)}`);
}

for (const [name, options] of Object.entries(LOOKS)) {
  t.test(`by keyboard alone: ${name}`, async (t) => {
    const place = await stage(t);
    if (place === null) return;
    const { page, violations } = await place.visit(options);
    const words = locales[options.locale === 'zh-CN' ? 'zh' : 'en'];
    const scripted = options.javaScriptEnabled !== false;
    const fits = async (what: string) => {
      const [content, window] = await page.evaluate<number[]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      t.ok(Number(content) <= Number(window), `${what}: nothing to scroll sideways, ${content} in ${window}`);
    };
    const heading = () => page.locator('h1').innerText();

    await page.goto('/');
    t.equal(await heading(), words.login.title);
    await fits('login');
    t.equal(await focused(page), 'username', 'the cursor is where to begin, and it shows');
    await page.keyboard.type('alice');
    await tabTo(page, 'password');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.locator('#message').waitFor();
    t.equal(await page.locator('#username').inputValue(), 'alice', 'the name is kept');
    t.equal(await focused(page), 'password', 'and what is left to type has the cursor');
    await fits('login, wrong');
    await page.keyboard.type(PASSWORD);
    await tabTo(page, words.login.submit);
    await page.keyboard.press('Enter');

    await page.waitForURL('**/otp');
    t.equal(await heading(), words.otp.title);
    await fits('code');
    t.equal(await focused(page), 'otp');
    t.equal(await page.locator('.unscripted').isVisible(), !scripted);
    t.equal(await page.locator('#life').isVisible(), scripted);
    await page.keyboard.type(wrongCode(lastCode(place)));
    if (!scripted) await page.keyboard.press('Enter');
    await page.locator('#message').waitFor();
    await fits('code, wrong');
    await tabTo(page, words.otp.callInstead);
    await page.keyboard.press('Enter');
    await page.getByText('••01').waitFor();
    await page.locator('#message').waitFor({ state: 'detached' });
    t.equal(place.messages.at(-1)?.channel, 'voice');
    t.equal(await focused(page), 'otp');
    const [one = '', two = ''] = [lastCode(place).slice(0, 3), lastCode(place).slice(3)];
    await page.keyboard.type(`${one} ${two}`);
    if (!scripted) await page.keyboard.press('Enter');

    await page.waitForURL(`${place.url}/`);
    t.equal(await heading(), words.home.title);
    await fits('signed in');
    t.equal(await page.locator('dd').first().innerText(), 'alice');
    await tabTo(page, words.home.signOut);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/login');
    t.strictSame(violations, [], 'nothing that the page was not allowed to do');
    t.equal(place.messages.length, 2);
  });
}

t.test('the language is chosen with the keyboard, and holds', async (t) => {
  const place = await stage(t);
  if (place === null) return;
  const { page, violations } = await place.visit();
  await logIn(page);
  await tabTo(page, 'Deutsch');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: locales.de.otp.title }).waitFor();
  t.equal(new URL(page.url()).pathname, '/otp');
  t.equal(await page.locator('html').getAttribute('lang'), 'de');
  await page.goto('/nowhere');
  t.equal(await page.locator('h1').innerText(), locales.de.error.title);
  t.equal(place.messages.length, 1);
  t.strictSame(violations, []);
});
