import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { closeBrowser, lastCode, logIn, type Stage, stage } from '../support/browser.ts';
import { wrongCode } from '../support/build-app.ts';

t.teardown(closeBrowser);

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Found {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Everything that axe-core knows, best practices and what it is unsure of included. */
async function look(t: Test, page: Page, what: string) {
  // By the debugger, which the page's Content-Security-Policy does not bind.
  await page.evaluate(axe);
  const found = await page.evaluate<{ violations: Found[]; incomplete: Found[]; passes: unknown[] }>('axe.run()');
  const told = (list: Found[]) => list.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
  t.strictSame(told(found.violations), [], what);
  t.strictSame(told(found.incomplete), [], `${what}: unsure`);
  t.ok(found.passes.length > 15, `${what}: ${found.passes.length} rules passed`);
}

async function typeWrong(place: Stage, page: Page) {
  await page.locator('#otp').pressSequentially(wrongCode(lastCode(place)));
  await page.locator('#message').waitFor();
}

for (const [name, options] of Object.entries({
  light: {},
  dark: { colorScheme: 'dark' },
  'Chinese, 320 px wide': { locale: 'zh-CN', viewport: { width: 320, height: 640 } },
} as const)) {
  t.test(`axe-core finds nothing on any page in any state: ${name}`, async (t) => {
    const place = await stage(t, { env: { RESEND_COOLDOWN: '30', OTP_ATTEMPTS: '2', LIMIT_ACCOUNT_FAILURES: '4' } });
    if (place === null) return;
    const { page } = await place.visit(options);
    const check = (what: string) => look(t, page, what);

    await page.goto('/login?next=%2Fotp');
    await check('login');
    await logIn(page, 'alice', 'wrong');
    await check('login, wrong password');
    await logIn(page);
    await check('code');
    await logIn(page);
    await check('code, sent already');
    place.clock.advance(30);
    await page.reload();
    await check('code, a new one may be asked for');
    await page.evaluate("document.querySelector('#otp').form.elements.about.value = 'another'");
    await page.locator('#otp').pressSequentially('123456');
    await page.locator('.hint').waitFor();
    await check('code, a newer one was sent');
    await typeWrong(place, page);
    await check('code, wrong');
    await page.reload();
    await page.locator('#otp').pressSequentially(wrongCode(lastCode(place)));
    await page.locator('#otp').waitFor({ state: 'detached' });
    await check('code, no guesses left');
    place.failDelivery(new DoorcodeError('delivery_failed', { retryAfterSeconds: 5 }));
    await page.locator('button').first().click();
    await page.locator('#message').waitFor();
    await check('code, not delivered');
    place.failDelivery(null);
    await page.locator('button').first().click();
    await page.locator('#otp').waitFor();
    place.clock.advance(60);
    await page.reload();
    await check('code, expired');
    await page.locator('button').first().click();
    await page.locator('#otp').waitFor();
    await typeWrong(place, page);
    await typeWrong(place, page);
    await page.reload();
    await page.locator('.ways').waitFor({ state: 'detached' });
    await check('code, account locked');

    await logIn(page, 'bob');
    await page.locator('#otp').pressSequentially(lastCode(place));
    await page.waitForURL(`${place.url}/`);
    await check('signed in');
    await page.goto('/nowhere');
    await check('not found');
  });
}
