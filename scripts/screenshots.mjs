// npm run screenshots: the README's walk-through, done by a browser, for its pictures. Needs Debian's chromium.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const MAIN = new URL('../dist/main.js', import.meta.url).pathname;
const IMAGES = new URL('../docs/images/', import.meta.url).pathname;

/** Starts the built program and waits for a line of its output. */
async function start(args, env, cwd, line) {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { PATH: process.env.PATH, ...env } });
  let output = '';
  for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
    output += text;
    const found = line.exec(output);
    if (found) return { child, found };
  }
  throw new Error(`it ended: ${output}`);
}

const cwd = await mkdtemp(join(tmpdir(), 'doorcode-'));
const children = [];
let browser;
try {
  const phone = await start(['phone'], {}, cwd, /(?<page>http:\S+) shows.*(?<settings>NODE_EXTRA.*) npm start/s);
  children.push(phone.child);
  const settings = [...phone.found.groups.settings.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  const env = { ...Object.fromEntries(settings), APP_NAME: 'Acme' };
  const service = await start([], env, cwd, /listens on (?<url>\S+)/);
  children.push(service.child);
  const { url } = service.found.groups;
  const { page: phonePage } = phone.found.groups;
  while ((await fetch(`${url}/readyz`)).status !== 200) await new Promise(setImmediate);

  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
  });
  const look = { deviceScaleFactor: 2, viewport: { width: 480, height: 560 } };
  const page = await browser.newPage(look);
  const shoot = (name, of = page) => of.screenshot({ path: join(IMAGES, `${name}.png`) });
  await page.goto(`${url}/login`);
  await page.getByLabel('Username').fill('demo');
  await page.getByLabel('Password').fill('demo');
  await shoot('login');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/otp');
  await shoot('code');

  const handset = await browser.newPage({ ...look, viewport: { width: 420, height: 720 } });
  await handset.goto(phonePage);
  const code = await handset.locator('strong.code').last().textContent();
  await page.getByRole('button', { name: 'Call me instead' }).click({ trial: true });
  await page.getByLabel('6-digit code').fill(code);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${url}/`);
  await shoot('signed-in');
  await shoot('phone', handset);
} finally {
  await browser?.close();
  for (const child of children) child.kill('SIGINT');
  await rm(cwd, { recursive: true, force: true });
}
