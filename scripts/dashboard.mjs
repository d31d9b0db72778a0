// npm run dashboard: draws docs/images/dashboard.png from deploy/grafana-dashboard.json, without Grafana.
//
// Two replicas share a Redis and serve sign-ins of all kinds for some minutes, Debian's Prometheus scrapes them, the
// dashboard's own queries are put to it, and their answers drawn as the panels are laid out. Needs Debian's prometheus,
// redis-server and chromium.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { hashPassword } from '../dist/users/password.js';
import { drawDashboard } from './draw-dashboard.mjs';

const ROOT = new URL('..', import.meta.url).pathname;
const PASSWORD = 'correct horse battery staple';
const USERS = 40;
/** In place of Grafana's `$__rate_interval`: four scrapes, as Grafana would have it. */
const RATE_INTERVAL = '12s';
const STEP_SECONDS = 3;

const { values } = parseArgs({ options: { seconds: { type: 'string' } } });
const seconds = Number(values.seconds ?? 240);
const folder = mkdtempSync(join(tmpdir(), 'doorcode-dashboard-'));
const children = [];
let inbox;
try {
  const startedAt = Date.now() / 1000;
  const { replicas, codes } = await startReplicas();
  const prometheus = await startPrometheus(replicas.map(({ metricsUrl }) => new URL(metricsUrl).host));
  await signInAll(replicas, codes, startedAt + seconds);
  await draw(prometheus, Math.ceil(startedAt) + 15);
} finally {
  for (const child of children) child.kill('SIGKILL');
  inbox?.closeAllConnections();
  inbox?.close();
  rmSync(folder, { recursive: true, force: true });
}

function run(program, args, env = {}) {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  return child;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function startReplicas() {
  const passwordHash = await hashPassword(PASSWORD);
  const users = Array.from({ length: USERS }, (_, index) => ({
    username: `user${index}`,
    phone: `+155501${String(index).padStart(5, '0')}`,
    passwordHash,
  }));
  writeFileSync(join(folder, 'users.json'), JSON.stringify(users));
  const redisPort = await freePort();
  run('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']);

  // The phones: a service that takes codes. For a while in the middle it is slow, then fails.
  const codes = new Map();
  inbox = createHttpServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { to, code } = JSON.parse(body);
    const share = (Date.now() / 1000 - began) / seconds;
    await sleep(share > 0.4 && share < 0.55 ? 300 + Math.random() * 1500 : 20 + Math.random() * 120);
    if (share > 0.55 && share < 0.65 && Math.random() < 0.9) return response.writeHead(500).end();
    codes.set(to, code);
    response.end();
  }).listen(0, '127.0.0.1');
  const began = Date.now() / 1000;
  await once(inbox, 'listening');

  const env = {
    PORT: '0',
    METRICS_PORT: '0',
    LOG_LEVEL: 'silent',
    SESSION_KEYS: randomBytes(32).toString('base64'),
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    USERS_FILE: 'users.json',
    OTP_TTL: '30',
    RESEND_COOLDOWN: '0',
    MAX_GUESS_RISK: '1',
    LIMIT_SEND_PHONE: '60/600,400/86400',
    LIMIT_SEND_ACCOUNT: 'off',
    LIMIT_SEND_ADDRESS: 'off',
    LIMIT_PASSWORD_ADDRESS: 'off',
    DELIVERY: 'webhook,console',
    WEBHOOK_URL: `http://127.0.0.1:${inbox.address().port}/`,
    WEBHOOK_SECRET: 'only for this picture',
  };
  const replicas = await Promise.all(
    [1, 2].map(async () => {
      const child = run(process.execPath, [join(ROOT, 'dist/main.js')], env);
      let output = '';
      let found;
      child.stdout.setEncoding('utf8');
      return new Promise((resolve, reject) => {
        child.once('exit', () => reject(new Error(`it did not start: ${output}`)));
        child.stdout.on('data', (text) => {
          if (found === undefined) output += text;
          for (const [, code, to] of text.matchAll(/^code (\d+) for (\S+)/gm)) codes.set(to, code);
          found ??= /listens on (\S+)[\s\S]*metrics are on (\S+)/.exec(output);
          if (found) resolve({ url: found[1], metricsUrl: found[2] });
        });
      });
    }),
  );
  return { replicas, codes };
}

async function startPrometheus(targets) {
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '3s' },
      scrape_configs: [{ job_name: 'doorcode', static_configs: [{ targets }] }],
    }),
  );
  const port = await freePort();
  run('prometheus', [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await fetch(`${url}/-/ready`).catch(() => ({ ok: false }))).ok) return url;
    await sleep(100);
  }
  throw new Error('Prometheus did not start');
}

/** People who sign in, some of whom mistype, are late, or guess; a few every second. */
async function signInAll(replicas, codes, until) {
  const people = [];
  for (let turn = 0; Date.now() / 1000 < until; turn += 1) {
    people.push(signIn(replicas, codes, turn).catch(() => {}));
    await sleep(250 + 200 * Math.sin(turn / 25));
  }
  await Promise.race([Promise.all(people), sleep(1000)]);
}

async function signIn(replicas, codes, turn) {
  const index = turn % USERS;
  const to = `+155501${String(index).padStart(5, '0')}`;
  let cookie = '';
  const post = async (path, body) => {
    const { url } = replicas[Math.floor(Math.random() * 2)];
    const headers = { 'content-type': 'application/json', ...(cookie === '' ? {} : { cookie }) };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const set = response.headers.getSetCookie().map((line) => line.split(';')[0]);
    if (set.length > 0) cookie = set.filter((pair) => !pair.endsWith('=')).join('; ');
    await response.arrayBuffer();
    return response.status;
  };
  const chance = Math.random();
  const password = chance < 0.15 ? 'mistyped' : PASSWORD;
  if ((await post('/login', { username: `user${index}`, password })) !== 200) return;
  const code = codes.get(to) ?? '000000';
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  await sleep(chance > 0.93 ? 31_500 : 1500 + Math.random() * 9000);
  if (chance < 0.35) await post('/otp', { otp: wrong });
  if (index === 7) for (let guess = 0; guess < 4; guess += 1) await post('/otp', { otp: wrong });
  if ((await post('/otp', { otp: code })) !== 200) return;
  for (let look = 0; look < 5; look += 1) {
    const { url } = replicas[look % 2];
    await (await fetch(`${url}/auth`, { headers: { cookie } })).arrayBuffer();
    await sleep(500);
  }
  if (chance > 0.6) await post('/logout', {});
}

async function draw(prometheus, from) {
  const dashboard = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana-dashboard.json'), 'utf8'));
  const to = Math.floor(Date.now() / 1000);
  const ask = async (path, parameters) => {
    const response = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { status, data, error } = await response.json();
    if (status !== 'success') throw new Error(`${parameters.query}: ${error}`);
    return data.result;
  };
  const answers = new Map();
  for (const { id, targets } of dashboard.panels) {
    const series = [];
    for (const { expr, legendFormat } of targets) {
      const query = expr.replaceAll('$__rate_interval', RATE_INTERVAL);
      for (const { metric, values: points } of await ask('query_range', {
        query,
        start: from,
        end: to,
        step: STEP_SECONDS,
      })) {
        const name = legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? '');
        series.push({ name, points: points.map(([time, value]) => [time, Number(value)]) });
      }
    }
    answers.set(id, series);
  }
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 });
    await page.setContent(drawDashboard(dashboard, answers, { from, to }));
    await page.screenshot({ path: join(ROOT, 'docs/images/dashboard.png'), fullPage: true });
  } finally {
    await browser.close();
  }
}
