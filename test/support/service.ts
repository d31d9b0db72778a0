import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { CookieJar } from './build-app.ts';
import { keepOutput, noteSettings } from './kept.ts';

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The built program, running as a user would run it. */
export interface RunningService {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything written so far, standard output and error together. */
  output(): string;
  /** Posts JSON with the cookies of the jar and keeps those of the answer. */
  post(path: string, body: object | undefined, jar?: CookieJar): Promise<Response>;
  get(path: string, jar?: CookieJar): Promise<Response>;
  /** Sends the signal and waits for the end. @returns the exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** What the environment of a child is: nothing of ours but the way to find programs. */
export function childEnv(env: Record<string, string>): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', ...env };
}

/** Starts `dist/main.js` on a free port, in an empty folder, and waits until it listens. */
export async function startService(t: Test, env: Record<string, string> = {}): Promise<RunningService> {
  // Made once in a test: made again, it would be taken from a service that is just starting.
  const cwd = existsSync(t.testdirName) ? t.testdirName : t.testdir({});
  // A stalled machine must not make the service refuse requests.
  const defaults = { PORT: '0', MAX_EVENT_LOOP_DELAY: 'off' };
  const child = spawn(process.execPath, [MAIN], { env: childEnv({ ...defaults, ...env }), cwd });
  let output = '';
  let told = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      told();
    });
  }
  // Not 'exit', after which output may still arrive.
  const ended = once(child, 'close');
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
    noteSettings(env);
    keepOutput(output);
  });
  const url = await new Promise<string>((resolve, reject) => {
    told = () => {
      const found = /doorcode listens on (\S+)/.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    };
    ended.then(() => reject(new Error(`it ended instead of listening:\n${output}`)));
  });

  const request = async (path: string, init: RequestInit, jar?: CookieJar) => {
    const headers = new Headers(init.headers);
    if (jar !== undefined && jar.header !== '') headers.set('cookie', jar.header);
    const response = await fetch(url + path, { ...init, headers, redirect: 'manual' });
    jar?.store({ headers: { 'set-cookie': response.headers.getSetCookie() } } as never);
    return response;
  };
  return {
    url,
    process: child,
    output: () => output,
    post: (path, body, jar) =>
      request(
        path,
        body === undefined
          ? { method: 'POST' }
          : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
        jar,
      ),
    get: (path, jar) => request(path, {}, jar),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

const fault = `process.on('SIGUSR2', () => setImmediate(() => { throw new Error('no code 482915 for +15550100100'); }))`;
/** NODE_OPTIONS with which the process throws an error that is not caught when it receives SIGUSR2. */
export const CRASH_ON_SIGUSR2 = `--import=data:text/javascript,${encodeURIComponent(fault)}`;
