import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort } from '../../bench/gateways.mjs';
import { program } from './programs.ts';

export { freePort };

/** A redis-server of the test's own, on loopback, with nothing kept on disk. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Ends it without notice. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty unless it saves. */
  start(): Promise<void>;
}

/** `SESSION_KEYS` of replicas that share a store. */
export const TEST_KEYS: readonly Buffer[] = [Buffer.alloc(32, 1)];

export interface TestRedisOptions {
  /** Further arguments, e.g. `['--maxmemory-policy', 'allkeys-lru']`. */
  readonly args?: readonly string[];
}

/**
 * Waits until a server is ready.
 *
 * @param sign what it then writes to its log
 * @throws Error with its log if it ends before
 */
async function isReady(child: ChildProcess, sign: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes(sign)) resolve();
    });
    child.once('close', () => reject(new Error(`redis-server ended:\n${output}`)));
  });
}

/** @returns null when there is no redis-server here; the test is then skipped, or failed in CI */
export async function startRedis(t: Test, { args = [] }: TestRedisOptions = {}): Promise<TestRedis | null> {
  const path = program(t, 'redis-server');
  if (path === null) return null;
  let port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'doorcode-redis-'));
  let child: ChildProcess | undefined;

  const start = async () => {
    const running = spawn(
      path,
      ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...args],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    child = running;
    await isReady(running, 'Ready to accept connections');
  };
  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  };
  t.teardown(async () => {
    await kill();
    await rm(folder, { recursive: true });
  });
  // Another program may have taken the port.
  for (let isStarted = false; !isStarted; ) {
    isStarted = await start().then(
      () => true,
      async (error: Error) => {
        if (!error.message.includes('Address already in use')) throw error;
        port = await freePort();
        return false;
      },
    );
  }
  return { url: `redis://127.0.0.1:${port}`, port, kill, start };
}

/**
 * Starts a sentinel that watches a server under the name `main`.
 *
 * @param lines of its configuration
 * @returns its port
 */
export async function startSentinel(
  t: Test,
  redis: Pick<TestRedis, 'port'>,
  lines: readonly string[] = [],
): Promise<number> {
  const path = program(t, 'redis-server');
  if (path === null) throw new Error('a redis-server is running without its program');
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'doorcode-sentinel-'));
  const config = [`port ${port}`, 'bind 127.0.0.1', `sentinel monitor main 127.0.0.1 ${redis.port} 1`, ...lines];
  await writeFile(join(folder, 'sentinel.conf'), `${config.join('\n')}\n`);
  const child = spawn(path, [join(folder, 'sentinel.conf'), '--sentinel'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: folder,
  });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true });
  });
  await isReady(child, '+monitor');
  return port;
}
