import t from 'tap';
import { closeBrowser, lastCode, logIn, stage } from '../../support/browser.ts';
import { PASSWORD } from '../../support/build-app.ts';

t.teardown(closeBrowser);

// The result of a form is kept for the whole test, so that the second click of a double click may come late.
const COOLDOWN = { env: { RESEND_COOLDOWN: '30' }, ports: { later: () => {} } };

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';

  t.test(`a double click sends one code and signs in once, ${how}`, async (t) => {
    const place = await stage(t, COOLDOWN);
    if (place === null) return;
    const { page } = await place.visit({ javaScriptEnabled });
    await page.goto('/login');
    await page.locator('#username').fill('alice');
    await page.locator('#password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Continue' }).dblclick({ noWaitAfter: true });
    // Not waitForURL: the second click breaks off what the first one began, which it takes for a failure.
    await page.locator('#otp').waitFor();
    t.equal(place.messages.length, 1);
    place.clock.advance(30);
    await page.reload();
    await page.getByRole('button', { name: 'Text me again' }).dblclick({ noWaitAfter: true });
    await page.getByText(javaScriptEnabled ? 'You can ask for another' : 'It is good for').waitFor();
    await page.waitForLoadState();
    t.equal(place.messages.length, 2);
    t.equal(await page.locator('h1').innerText(), 'Enter your code');
    const field = page.locator('#otp');
    if (javaScriptEnabled) {
      // The last digit sends it, and Enter comes right behind.
      await field.pressSequentially(lastCode(place));
      await page.keyboard.press('Enter');
    } else {
      await field.fill(lastCode(place));
      await page.getByRole('button', { name: 'Sign in' }).dblclick({ noWaitAfter: true });
    }
    t.equal(await page.locator('dd').first().innerText(), 'alice');
    t.equal(page.url(), `${place.url}/`);
  });

  t.test(`reload and Back send nothing, and lead to pages that make sense, ${how}`, async (t) => {
    const place = await stage(t, COOLDOWN);
    if (place === null) return;
    const { page } = await place.visit({ javaScriptEnabled });
    const posts: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') posts.push(new URL(request.url()).pathname);
    });
    await logIn(page, 'alice', 'wrong');
    await page.reload();
    t.equal(await page.locator('h1').innerText(), 'Sign in');
    await logIn(page);
    await page.reload();
    t.equal(await page.locator('h1').innerText(), 'Enter your code');
    await page.goBack();
    t.equal(await page.locator('h1').innerText(), 'Sign in');
    await page.goForward();
    t.equal(await page.locator('h1').innerText(), 'Enter your code');
    t.strictSame(posts, ['/login', '/login']);

    await page.goBack();
    await page.locator('#username').fill('alice');
    await page.locator('#password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText('We have just sent you a code.').waitFor();
    t.equal(place.messages.length, 1, 'the same login once more');

    await page.locator('#otp').fill(lastCode(place));
    if (!javaScriptEnabled) await page.keyboard.press('Enter');
    await page.waitForURL(`${place.url}/`);
    const sent = posts.length;
    await page.goBack();
    await page.waitForURL(`${place.url}/`);
    t.equal(await page.locator('h1').innerText(), 'You are signed in', 'back after success');
    await page.reload();
    t.equal(await page.locator('dd').first().innerText(), 'alice');
    t.equal(posts.length, sent);
    t.equal(place.messages.length, 1);
  });

  t.test(`an expired login and two tabs with two users, ${how}`, async (t) => {
    const place = await stage(t, COOLDOWN);
    if (place === null) return;
    const { page, context } = await place.visit({ javaScriptEnabled });
    const enter = async (to: typeof page, code: string) => {
      await to.locator('#otp').fill(code);
      if (!javaScriptEnabled) await to.keyboard.press('Enter');
    };
    await logIn(page);
    place.clock.advance(60);
    await page.reload();
    t.equal(await page.locator('#message').innerText(), 'One-time password has expired. Please ask for a new code.');
    await page.getByRole('button', { name: 'Text me again' }).click();
    await page.locator('#otp').waitFor();
    place.clock.advance(600);
    await enter(page, lastCode(place));
    await page.waitForURL('**/login');
    t.equal(await page.locator('#message').innerText(), 'Please log in again.');

    await logIn(page);
    const alices = lastCode(place);
    const other = await context.newPage();
    await logIn(other, 'bob');
    await enter(page, alices);
    await page.getByText('A newer code was sent from this browser.').waitFor();
    t.ok(await page.getByText('Signing in as bob').isVisible());
    await enter(other, lastCode(place));
    await other.waitForURL(`${place.url}/`);
    await enter(page, alices);
    await page.waitForURL(`${place.url}/`);
    t.equal(await page.locator('dd').first().innerText(), 'bob', 'both tabs show who is signed in');
    t.equal(place.messages.length, 4);
  });
}
