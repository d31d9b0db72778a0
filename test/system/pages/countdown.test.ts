import type { Page } from 'playwright-core';
import t from 'tap';
import { closeBrowser, lastCode, logIn, type Stage, stage } from '../../support/browser.ts';

t.teardown(closeBrowser);

const HOUR_MS = 3_600_000;
const text = (page: Page, id: string) => page.locator(`#${id}`).textContent();

/** A code page, ten seconds old for the server, in a browser whose clock is so much off. */
async function open({ visit, clock }: Stage, offMs = 0) {
  const { page } = await visit();
  await page.clock.install({ time: clock() + offMs });
  await logIn(page);
  clock.advance(10);
  // From here on the browser's clocks stand, but for what the test lets go by.
  await page.clock.pauseAt(clock() + offMs + 60_000);
  await page.reload();
  return page;
}

for (const [name, offMs] of Object.entries({
  'an hour fast': HOUR_MS,
  'twenty years slow': -20 * 365 * 24 * HOUR_MS,
})) {
  t.test(`the countdown is the server's, with a clock that is ${name}`, async (t) => {
    const place = await stage(t, { env: { RESEND_COOLDOWN: '30' } });
    if (place === null) return;
    const page = await open(place, offMs);
    const shown = async () => [await text(page, 'life'), await text(page, 'wait')];
    t.strictSame(await shown(), ['0:50 left', 'You can ask for another code in 0:20.']);
    await page.clock.runFor(1000);
    t.strictSame(await shown(), ['0:49 left', 'You can ask for another code in 0:19.']);
    await page.clock.runFor(18_500);
    t.strictSame(await shown(), ['0:31 left', 'You can ask for another code in 0:01.']);
    await page.clock.runFor(500);
    t.strictSame(await shown(), ['0:30 left', 'You can ask for a new code now.']);
    t.equal(
      await text(page, 'said'),
      '30 seconds left for this code. You can ask for a new code now.',
      'in one breath',
    );
    await page.clock.runFor(29_900);
    t.equal(await text(page, 'life'), '0:01 left');
    await page.clock.runFor(100);
    t.equal(await text(page, 'life'), 'This code has expired.');
    t.equal(place.messages.length, 1);
  });
}

t.test('a machine that slept, and a clock that is set meanwhile, are noticed', async (t) => {
  const place = await stage(t, { env: { RESEND_COOLDOWN: '30' } });
  if (place === null) return;
  const page = await open(place);
  // Timers fire once, late, as after a suspend.
  await page.clock.fastForward(35_000);
  t.equal(await text(page, 'life'), '0:15 left');
  t.equal(await page.locator('.ways button').first().getAttribute('aria-disabled'), null);
  // An hour back: what went by still went by.
  await page.clock.setSystemTime(place.clock() - HOUR_MS);
  await page.clock.runFor(5000);
  t.equal(await text(page, 'life'), '0:10 left');
});

t.test('screen readers hear of it at half a minute, ten seconds and the end, and not every second', async (t) => {
  const place = await stage(t, { env: { RESEND_COOLDOWN: '0' } });
  if (place === null) return;
  const page = await open(place);
  await page.evaluate(`
    window.said = [];
    new MutationObserver(() => said.push(document.querySelector('#said').textContent))
      .observe(document.querySelector('#said'), { childList: true });
  `);
  t.equal(await page.locator('#said').getAttribute('role'), 'status', 'polite');
  t.equal(await page.locator('#life').getAttribute('aria-live'), null, 'the countdown itself is quiet');
  await page.clock.runFor(60_000);
  t.strictSame(await page.evaluate('said'), [
    '30 seconds left for this code.',
    '10 seconds left for this code.',
    'This code has expired.',
  ]);
});

t.test('after the end a new code is what is offered first, and the field stays', async (t) => {
  const place = await stage(t, { env: { RESEND_COOLDOWN: '30' } });
  if (place === null) return;
  const page = await open(place);
  const again = page.getByRole('button', { name: 'Text me again' });
  t.equal(await again.getAttribute('class'), 'quiet');
  t.equal(await again.getAttribute('aria-disabled'), 'true');
  await again.click({ force: true });
  t.equal(new URL(page.url()).pathname, '/otp');
  t.equal(place.messages.length, 1, 'within the cooldown nothing is sent');
  await page.clock.runFor(50_000);
  t.equal(await again.getAttribute('class'), '');
  t.equal(await page.getByRole('button', { name: 'Sign in' }).getAttribute('class'), 'quiet');
  t.ok(await page.locator('#otp').isVisible());
  place.clock.advance(50);
  await again.click();
  await page.getByText('1:00 left').waitFor();
  t.equal(place.messages.length, 2);
  await page.locator('#otp').fill(lastCode(place));
  await page.waitForURL(`${place.url}/`);
});
