// Complete flows, ask and check, beside a twin in Flask that keeps codes in a dictionary: each on one core.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './gateways.mjs';
import { startServer } from './load.mjs';
import { median, spread } from './statistics.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);
const ROUNDS = 3;
const WARM_UP = 3;
const KEY = 'a-key-for-the-benchmark';
const TARGET = { perSecond: 1800, times: 3 };

/** Numbers start anew where the last round has ended: one number is not sent to twice in so short a time. */
let first = 0;

async function flows(port, code) {
  first += 100_000;
  const url = `http://127.0.0.1:${port}`;
  const args = [
    '-c',
    '1',
    'wrk',
    '-t1',
    '-c32',
    '-d2s',
    '-s',
    here('./flows.lua'),
    url,
    '--',
    KEY,
    code,
    String(first),
  ];
  const told = JSON.parse((await run('taskset', args)).stdout.trim().split('\n').at(-1));
  if (told.faults > 0) throw new Error(`${told.faults} answers were none that a flow has`);
  return told.flows / (told.us / 1e6);
}

function hasFlask() {
  try {
    execFileSync('python3', ['-c', 'import flask'], { stdio: 'ignore' });
    execFileSync('which', ['gunicorn']);
    return true;
  } catch {
    return false;
  }
}

async function startTwin(port, code) {
  const args = ['-c', '0', 'gunicorn', '--workers', '1', '--threads', '4', '--log-level', 'error'];
  const child = spawn('taskset', [...args, '--bind', `127.0.0.1:${port}`, 'flask-twin:app'], {
    cwd: here('.'),
    env: { PATH: process.env.PATH, API_KEY: KEY, CODE: code, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: 'inherit',
  });
  const ended = once(child, 'exit');
  for (let tries = 0; tries < 100; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const up = await once(socket, 'connect').catch(() => null);
    socket.destroy();
    if (up !== null) break;
    await setTimeout(100);
  }
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

export async function benchFlows() {
  const [port, twinPort] = [await freePort(), await freePort()];
  const ours = await startServer({ script: here('./flow-server.mjs'), args: [port, KEY] });
  const { code } = ours.told;
  const stopTwin = hasFlask() ? await startTwin(twinPort, code) : null;
  const rates = { ours: [], twin: [] };
  try {
    // While the code is being compiled.
    for (let round = 0; round < WARM_UP; round += 1) await flows(port, code);
    for (let round = 0; round < ROUNDS; round += 1) {
      rates.ours.push(await flows(port, code));
      if (stopTwin !== null) rates.twin.push(await flows(twinPort, code));
    }
  } finally {
    await ours.stop();
    await stopTwin?.();
  }
  const perSecond = median(rates.ours);
  const ratios = rates.twin.map((rate, round) => rates.ours[round] / rate);
  const times =
    ratios.length === 0
      ? 'no Flask here to compare with'
      : `${median(ratios).toFixed(2)} × the twin in Flask (${spread(ratios)})`;
  return [
    {
      name: 'complete flows, ask and check, a second on one core',
      figure: `${Math.round(perSecond)}, ${times}`,
      target: `≥ ${TARGET.perSecond}, or ≥ ${TARGET.times} × a twin in Flask`,
      met: perSecond >= TARGET.perSecond || (ratios.length > 0 && median(ratios) >= TARGET.times),
    },
  ];
}
