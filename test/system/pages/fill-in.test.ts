import type { Page } from 'playwright-core';
import t from 'tap';
import { closeBrowser, lastCode, logIn, stage } from '../../support/browser.ts';

t.teardown(closeBrowser);

const paste = (page: Page, text: string) =>
  page.evaluate(`(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text', ${JSON.stringify(text)});
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
    document.querySelector('#otp').dispatchEvent(event);
  })()`);

t.test('a code is pasted as it comes, and sent by itself', async (t) => {
  const place = await stage(t);
  if (place === null) return;
  const pasted = (code: string) => [
    code,
    ` ${code.slice(0, 3)} ${code.slice(3)}\n`,
    `${code.slice(0, 3)}-${code.slice(3)}`,
    [...code].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join(''),
    `Your Acme code is ${code}. Do not share it.\n\n@login.example.com #${code}`,
  ];
  const { page, context, violations } = await place.visit();
  for (const index of pasted('000000').keys()) {
    await logIn(page);
    await paste(page, pasted(lastCode(place))[index] ?? '');
    await page.waitForURL(`${place.url}/`);
    t.strictSame(violations, [], String(index));
    await context.clearCookies();
  }
});

t.test('what is no code yet stays to be looked at', async (t) => {
  const place = await stage(t);
  if (place === null) return;
  const { page } = await place.visit();
  await logIn(page);
  const field = page.locator('#otp');
  for (const [text, shown] of [
    ['12 34', '1234'],
    ['no code', ''],
    ['1234567', '1234567'],
  ] as const) {
    await paste(page, text);
    t.equal(await field.inputValue(), shown);
  }
  await field.fill('');
  await field.pressSequentially('12-3a4');
  t.equal(await field.inputValue(), '1234', 'what is typed is digits only');
  t.equal(new URL(page.url()).pathname, '/otp');
  const { code } = place.messages[0] ?? { code: '' };
  await field.fill('');
  await field.pressSequentially(code);
  await page.waitForURL(`${place.url}/`);
});

const OTP_CREDENTIAL = `
  window.OTPCredential = class {};
  window.asked = [];
  navigator.credentials.get = (options) => {
    asked.push(options);
    return new Promise((resolve, reject) => {
      window.arrive = resolve;
      options.signal.addEventListener('abort', () => { window.aborted = true; reject(options.signal.reason); });
    });
  };
`;

t.test('the phone fills in what arrives for this host, where the browser can (WebOTP)', async (t) => {
  const place = await stage(t);
  if (place === null) return;
  const { page, context, violations } = await place.visit();
  await context.addInitScript(OTP_CREDENTIAL);
  await logIn(page);
  t.match(await page.evaluate('asked.map(({ otp, signal }) => ({ otp, signal: signal instanceof AbortSignal }))'), [
    { otp: { transport: ['sms'] }, signal: true },
  ]);
  await page.evaluate(`arrive({ code: ${JSON.stringify(lastCode(place))} })`);
  await page.waitForURL(`${place.url}/`);
  t.equal(await page.locator('dd').first().innerText(), 'alice');
  t.strictSame(violations, []);
});

t.test('WebOTP is let go when the code is typed, and its refusal changes nothing', async (t) => {
  const place = await stage(t);
  if (place === null) return;
  const { page, context, violations } = await place.visit();
  await context.addInitScript(OTP_CREDENTIAL);
  await logIn(page);
  await page.evaluate(`document.querySelector('#enter').addEventListener('submit', (event) => event.preventDefault())`);
  await page.locator('#otp').fill('000000');
  t.equal(await page.evaluate('aborted'), true);

  const refused = await place.visit();
  await refused.context.addInitScript(
    `window.OTPCredential = class {}; navigator.credentials.get = () => Promise.reject(new DOMException('no'));`,
  );
  await logIn(refused.page, 'bob');
  await refused.page.locator('#otp').fill(lastCode(place));
  await refused.page.waitForURL(`${place.url}/`);
  t.strictSame([...violations, ...refused.violations], []);
});
