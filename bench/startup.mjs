// From the start of the process to its first answer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './gateways.mjs';
import { median, spread } from './statistics.mjs';

const ROUNDS = 7;
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const starts = [
  { what: 'codes on the console', env: {}, targetMs: 500 },
  {
    what: 'with SignalWire',
    env: {
      SIGNALWIRE_SPACE: '127.0.0.1:9',
      SIGNALWIRE_PROJECT: 'bench',
      SIGNALWIRE_TOKEN: 'bench',
      SIGNALWIRE_NUMBER: '+15550100199',
    },
    targetMs: 700,
  },
];

/** @returns milliseconds */
async function firstAnswer(env, folder) {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, PORT: String(port), LOG_LEVEL: 'warn', ...env },
    cwd: folder,
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error('it ended instead of answering');
      if (await answers(port)) return performance.now() - startedAt;
      await setTimeout(3);
    }
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** By a bare socket: an HTTP client's own first request would be measured as well. */
async function answers(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    const [data] = await once(socket, 'data');
    return data.includes('200 OK');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export async function benchStartup(folder) {
  const rows = [];
  const times = starts.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, { env }] of starts.entries()) times[index].push(await firstAnswer(env, folder));
  }
  for (const [index, { what, targetMs }] of starts.entries()) {
    const ms = median(times[index]);
    rows.push({
      name: `start of the process to its first answer, ${what}`,
      figure: `${ms.toFixed(0)} ms (${spread(times[index])})`,
      target: `≤ ${targetMs} ms`,
      met: ms <= targetMs,
    });
  }
  return rows;
}
