// Servers on one core, load from another: wrk, which takes little of it.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const LUA = fileURLToPath(new URL('./wrk.lua', import.meta.url));
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const run = promisify(execFile);

/** Whether what loads a server is there: wrk, and taskset to keep it off the server's core. */
export function canLoad() {
  try {
    for (const program of ['wrk', 'taskset']) execFileSync('which', [program]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a program of ours and waits until it says that it listens.
 *
 * @param cores as taskset names them; all when absent
 */
export async function startServer({ script = MAIN, args = [], env = {}, cores = '0', words = 'listen', node = [] }) {
  const command = [process.execPath, ...node, script, ...args];
  const child = spawn('taskset', ['-c', cores, ...command], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  let output = '';
  let told;
  await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      if (output.length < 10_000) output += text;
      if (output.includes(words)) resolve();
    });
    child.once('message', (message) => {
      told = message;
      resolve();
    });
    ended.then(() => reject(new Error(`it ended:\n${output}`)));
  });
  return {
    child,
    /** What it sent to say so. */
    told,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/**
 * How many requests to make for a round: twice as many as were answered in one before, however fast the machine is.
 *
 * @param least to begin with
 */
export function createAppetite(least) {
  let most = least;
  return {
    most: () => most,
    saw: ({ requests }) => {
      most = Math.max(least, requests * 2);
    },
  };
}

/**
 * Loads a server for a while.
 *
 * @param requests as they go over the wire, each sent once, so more than are sent; over and over with `again`
 * @returns requests per second, how many were refused (4xx, 5xx), and the latencies in milliseconds
 */
export async function load(url, requests, options) {
  const { folder, seconds = 1, connections = 32, cores = '1', name = '', again = false } = options;
  const file = join(folder, `requests${name}`);
  await writeFile(file, requests.join('\0'));
  const args = ['-c', cores, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', LUA, url, '--', file];
  const { stdout } = await run('taskset', args);
  const told = JSON.parse(stdout.trim().split('\n').at(-1));
  if (told.broken > 0) throw new Error(`${told.broken} requests to ${url} had no answer`);
  if (!again && told.requests > requests.length) throw new Error(`${url}: ${requests.length} requests were too few`);
  return {
    perSecond: told.requests / (told.us / 1e6),
    requests: told.requests,
    refused: told.refused,
    p50: told.p50 / 1000,
    p99: told.p99 / 1000,
  };
}
