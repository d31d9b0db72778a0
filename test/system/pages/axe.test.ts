import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { DoorcodeError } from '../../../src/errors.ts';
import { closeBrowser, lastCode, logIn, type Stage, stage } from '../../support/browser.ts';
import { wrongCode } from '../../support/build-app.ts';

t.teardown(closeBrowser);

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Found {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Runs all rules of axe-core in the light theme, and the one rule that depends on the theme in the dark one. */
async function look(t: Test, page: Page, what: string) {
  // By the debugger, which the page's Content-Security-Policy does not bind.
  await page.evaluate(axe);
  for (const [colorScheme, options, rules] of [
    ['dark', "{ runOnly: ['color-contrast'] }", 1],
    ['light', '{}', 15],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    const found = await page.evaluate<{ violations: Found[]; incomplete: Found[]; passes: unknown[] }>(
      `axe.run(${options})`,
    );
    const list = (results: Found[]) => results.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
    t.strictSame(list(found.violations), [], `${what}, ${colorScheme}: violations`);
    t.strictSame(list(found.incomplete), [], `${what}, ${colorScheme}: what axe-core is not sure of`);
    t.ok(found.passes.length >= rules, `${what}, ${colorScheme}: ${found.passes.length} rules passed`);
  }
}

async function typeWrong(place: Stage, page: Page) {
  await page.locator('#otp').pressSequentially(wrongCode(lastCode(place)));
  await page.locator('#message').waitFor();
}

t.test('axe-core finds nothing on any page in any state', async (t) => {
  const place = await stage(t, { env: { RESEND_COOLDOWN: '30', OTP_ATTEMPTS: '2', LIMIT_ACCOUNT_FAILURES: '4' } });
  if (place === null) return;
  const { page } = await place.visit();
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
