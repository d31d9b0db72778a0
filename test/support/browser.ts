import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { PASSWORD, type TestApp, type TestAppOptions, testApp } from './build-app.ts';
import { program } from './programs.ts';

/** A service in memory that listens, and Debian's Chromium in front of it. */
export interface Stage extends TestApp {
  readonly url: string;
  readonly browser: Browser;
  /** A new browser profile with one page; what the page was not allowed to do is gathered. */
  visit(options?: BrowserContextOptions): Promise<{ page: Page; context: BrowserContext; violations: string[] }>;
}

let shared: Promise<Browser> | undefined;

/** @returns null when there is no Chromium, and the test is over */
export async function stage(t: Test, options: TestAppOptions = {}): Promise<Stage | null> {
  const executablePath = program(t, 'chromium');
  if (executablePath === null) return null;
  // One browser for all test files of a process, which share it until the process ends.
  shared ??= chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
  });
  const browser = await shared;
  const service = await testApp(options);
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 });
  const contexts: BrowserContext[] = [];
  t.teardown(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    await service.app.close();
  });
  return {
    ...service,
    url,
    browser,
    async visit(contextOptions = {}) {
      const context = await browser.newContext({ baseURL: url, locale: 'en', ...contextOptions });
      contexts.push(context);
      context.setDefaultTimeout(60_000);
      const page = await context.newPage();
      const violations: string[] = [];
      page.on('console', (message) => {
        if (/Content Security Policy|Refused to/.test(message.text())) violations.push(message.text());
      });
      page.on('pageerror', (error) => violations.push(String(error)));
      return { page, context, violations };
    },
  };
}

/** Closes the shared browser. */
export async function closeBrowser(): Promise<void> {
  await (await shared)?.close();
}

/** Fills in the login page and sends it. */
export async function logIn(page: Page, username = 'alice', password = PASSWORD): Promise<void> {
  await page.goto('/login');
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(password);
  await page.locator('#password').press('Enter');
  await page.waitForURL(password === PASSWORD ? '**/otp' : '**/login');
}

export const lastCode = ({ messages }: Pick<TestApp, 'messages'>) => messages.at(-1)?.code ?? '';
