import t from 'tap';
import { closeBrowser, lastCode, logIn, stage } from '../../support/browser.ts';

t.teardown(closeBrowser);

/** Notes every layout shift from the first moment on, those that follow an input as well. */
const WATCH = `
  window.shifts = [];
  new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({ value }) => value)))
    .observe({ type: 'layout-shift', buffered: true });
`;

t.test('pages need few requests, and nothing on them moves after they are painted', async (t) => {
  const place = await stage(t, { env: { RESEND_COOLDOWN: '30' } });
  if (place === null) return;
  const { page, context } = await place.visit();
  await context.addInitScript(WATCH);
  const look = async (what: string) => {
    await page.waitForLoadState();
    // Two frames later all that a script changes at the start has been drawn.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    t.strictSame(await page.evaluate('shifts'), [], `${what}: no layout shift`);
  };
  const requests: string[] = [];
  page.on('request', (request) => requests.push(`${request.resourceType()} ${new URL(request.url()).pathname}`));
  await page.goto('/login');
  await look('login');
  // Only the stylesheet delays the first paint: browsers defer scripts that are modules.
  t.match(requests, [/^document \/login$/, /^stylesheet /, /^script /, /^other .*icon/]);
  t.equal(requests.length, 4);
  t.equal(await page.locator('script').getAttribute('type'), 'module');
  await logIn(page);
  await look('code');
  await page.getByText(/^0:\d\d left$/).waitFor();
  t.strictSame(await page.evaluate('shifts'), [], 'code: no layout shift by the countdown');
  await page.locator('#otp').fill(lastCode(place));
  await page.waitForURL(`${place.url}/`);
  await look('signed in');
});
