// npm run screenshots: the README's walk-through, done by a browser, for its pictures. Needs Debian's chromium; with
// fonts-inter and fonts-noto-cjk the words look as they do elsewhere, and pngquant makes the files smaller.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const MAIN = new URL('../dist/main.js', import.meta.url).pathname;
const IMAGES = new URL('../docs/images/', import.meta.url).pathname;

// What a browser takes for the fonts of the system; Debian's own choice is wider than what most people see.
const FONTS = `<?xml version="1.0"?>
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  ${['system-ui', 'sans-serif'].map((family) => `<match target="pattern"><test name="family"><string>${family}</string></test><edit name="family" mode="prepend" binding="strong"><string>Inter</string><string>Noto Sans CJK SC</string></edit></match>`).join('\n  ')}
</fontconfig>`;

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
  const env = { ...Object.fromEntries(settings), PORT: '0', APP_NAME: 'Acme' };
  const patient = await start([], env, cwd, /listens on (?<url>\S+)/);
  children.push(patient.child);
  // Many codes in a moment, for pictures only.
  const limits = { RESEND_COOLDOWN: '0', LIMIT_SEND_PHONE: 'off', LIMIT_SEND_ACCOUNT: 'off', MAX_GUESS_RISK: '1' };
  const service = await start([], { ...env, ...limits }, cwd, /listens on (?<url>\S+)/);
  children.push(service.child);
  const { url } = service.found.groups;
  const { page: phonePage } = phone.found.groups;
  for (const each of [url, patient.found.groups.url]) {
    while ((await fetch(`${each}/readyz`)).status !== 200) await new Promise(setImmediate);
  }

  await writeFile(join(cwd, 'fonts.conf'), FONTS);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
    env: { ...process.env, FONTCONFIG_FILE: join(cwd, 'fonts.conf') },
  });
  const look = { deviceScaleFactor: 2, viewport: { width: 480, height: 760 }, locale: 'en' };
  const shoot = async (name, of) => {
    const path = join(IMAGES, `${name}.png`);
    await of.screenshot({ path });
    spawnSync('pngquant', ['--force', '--strip', '--speed', '1', '--output', path, path]);
  };
  const logIn = async (page, at) => {
    await page.goto(`${at}/login`);
    await page.locator('#username').fill('demo');
    await page.locator('#password').fill('demo');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/otp');
  };

  const page = await browser.newPage(look);
  await page.goto(`${url}/login`);
  await page.getByLabel('Username').fill('demo');
  await page.getByLabel('Password').fill('demo');
  await shoot('login', page);
  await logIn(page, patient.found.groups.url);
  await shoot('code', page);
  const handset = await browser.newPage({ ...look, viewport: { width: 420, height: 720 } });
  await handset.goto(phonePage);
  const newest = () => handset.locator('strong.code').last().textContent();
  const wrong = async (of) => of.locator('#otp').fill(String((Number(await newest()) + 1) % 1e6).padStart(6, '0'));
  await page.locator('#otp').fill(await newest());
  await page.waitForURL(`${patient.found.groups.url}/`);
  await shoot('signed-in', page);
  await shoot('phone', handset);

  const dark = await browser.newPage({ ...look, colorScheme: 'dark' });
  await logIn(dark, url);
  await handset.reload();
  await wrong(dark);
  await dark.locator('#message').waitFor();
  await shoot('code-dark', dark);
  const narrow = await browser.newPage({ ...look, viewport: { width: 320, height: 760 } });
  await logIn(narrow, url);
  await shoot('code-narrow', narrow);
  const chinese = await browser.newPage({ ...look, locale: 'zh-CN' });
  await logIn(chinese, url);
  await shoot('code-chinese', chinese);
  // What a window of 960 by 1520 has at 200 % zoom.
  const zoomed = await browser.newPage({ ...look, locale: 'de' });
  await logIn(zoomed, url);
  await shoot('code-zoomed', zoomed);
} finally {
  await browser?.close();
  for (const child of children) child.kill('SIGINT');
  await rm(cwd, { recursive: true, force: true });
}
