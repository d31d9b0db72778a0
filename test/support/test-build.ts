import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Test } from 'tap';
import type { Service } from '../../src/serve.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What is put in the place of what, in a file of dist/. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface TestBuild {
  /** Moves the time of every service of this build. */
  readonly clock: FakeClock;
  /** As `doorcode serve`, until the end of the test. */
  start(env?: Record<string, string>): Promise<Service>;
}

let builds = 0;

/**
 * A copy of the built program with a clock that tests own, and whatever is changed: the one way to see a service without
 * one of its defences, because no setting turns them off.
 *
 * @throws Error when a file no longer has what is to be changed
 */
export async function testBuild(t: Test, changes: readonly Change[] = []): Promise<TestBuild> {
  builds += 1;
  const id = `build ${process.pid}.${builds}`;
  const folder = join(t.testdir({}), 'dist');
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, 'dist'), folder, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, '../package.json'));

  const clock = fakeClock(Math.floor(Date.now() / 1000));
  const clocks = globalThis as unknown as { doorcodeTestClocks?: Record<string, () => number> };
  clocks.doorcodeTestClocks = { ...clocks.doorcodeTestClocks, [id]: clock };
  const time = { file: 'clock.js', from: 'Date.now()', to: `globalThis.doorcodeTestClocks['${id}']()` };
  // A stalled machine must not make the service refuse requests.
  const patience = [
    { file: 'users/password.js', from: 'MAX_WAIT_MS = 400', to: 'MAX_WAIT_MS = 60_000' },
    { file: 'limits/redis.js', from: 'timeoutMs = 200', to: 'timeoutMs = 60_000' },
  ];
  for (const { file, from, to } of [time, ...patience, ...changes]) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) throw new Error(`dist/${file} has no ${from}`);
    writeFileSync(path, text.replaceAll(from, to));
  }

  const { serve } = (await import(pathToFileURL(join(folder, 'serve.js')).href)) as typeof import('../../src/serve.ts');
  return {
    clock,
    async start(env = {}) {
      const service = await serve({
        env: { PORT: '0', LOG_LEVEL: 'silent', MAX_EVENT_LOOP_DELAY: 'off', ...env },
        write: () => {},
        logDestination: { write: () => {} },
      });
      t.teardown(() => service.close(0, 2000));
      return service;
    },
  };
}
