// Load beyond what one process can do: node bench/overload.mjs [--seconds 30] [--connections 600]
//
// Logins with hashed passwords, and the question of gateways, at the same time, as fast as answers come; then 200
// connections that send their requests byte by byte, beside others who do not. Loopback only, ends by itself.
// Says of what was answered 200 how long it took, what else was answered, and how much memory there was.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { hashPassword } from '../dist/users/password.js';

const PASSWORD = 'correct horse battery staple';
/** What the issue of overload is judged by. */
const P99_MS = 1000;
const SLOW_CONNECTIONS = 200;
/** Garbage is no memory that is held: whether it has been collected already is up to the collector's mood. */
const COLLECT = 'data:text/javascript,process.on("SIGUSR2", () => { for (let i = 0; i < 4; i += 1) gc(); })';
/** Requests a second, for the comparison with and without slow connections: far from the limit. */
const CALM_RATE = 100;

/**
 * @param {{ seconds?: number, connections?: number, quietSeconds?: number }} options
 * @returns {Promise<{ figures: object, faults: string[] }>}
 */
export async function benchOverload({ seconds = 30, connections = 600, quietSeconds = 10 } = {}) {
  const service = await startService();
  try {
    const session = await signIn(service);
    // What is compiled and allocated once is no part of the comparison.
    await load(service, session, { seconds: 3, connections: 10 });
    await sleep(1000);
    service.process.kill('SIGUSR2');
    await sleep(1000);
    const before = await memory(service);
    const beyond = await load(service, session, { seconds, connections });
    const peak = await memory(service);
    await sleep(quietSeconds * 1000);
    const calm = await steady(service, session);
    const slow = await openSlowly(service);
    const beside = await steady(service, session);
    const cut = await slow.cut();
    service.process.kill('SIGUSR2');
    await sleep(1000);
    const after = await memory(service);
    const crashed = service.process.exitCode !== null;

    const figures = { beyond, memory: { before, peak, after }, calm, beside, cut, crashed };
    return { figures, faults: faultsOf(figures) };
  } finally {
    await service.stop();
  }
}

function faultsOf({ beyond, memory: { before, peak, after }, calm, beside, cut, crashed }) {
  const faults = [];
  const others = Object.keys(beyond.statuses).filter((status) => status !== '200' && status !== '503');
  if (others.length > 0 || beyond.errors > 0) faults.push(`answered ${others.join(', ')}; ${beyond.errors} errors`);
  if (!(beyond.p99 < P99_MS)) faults.push(`the p99 of what was answered 200 is ${beyond.p99} ms`);
  if (after.heapMb > Math.max(before.heapMb * 2, before.heapMb + 30)) faults.push('memory did not come back');
  if (after.rssMb > peak.rssMb * 1.1) faults.push('memory went on growing');
  // A shared machine has pauses of its own.
  if (beside.p99 > Math.max(calm.p99 * 2, calm.p99 + 50)) faults.push('slow connections made others wait');
  if (cut !== SLOW_CONNECTIONS) faults.push(`${cut} of ${SLOW_CONNECTIONS} slow connections were cut`);
  if (crashed) faults.push('the service crashed');
  return faults;
}

async function startService() {
  const folder = mkdtempSync(join(tmpdir(), 'doorcode-overload-'));
  const users = join(folder, 'users.json');
  writeFileSync(
    users,
    JSON.stringify([{ username: 'alice', phone: '+15550100101', passwordHash: await hashPassword(PASSWORD) }]),
  );
  let code = '';
  const child = spawn(process.execPath, ['--expose-gc', '--import', COLLECT, 'dist/main.js'], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      METRICS_PORT: '0',
      LOG_LEVEL: 'info',
      USERS_FILE: users,
      // What is measured is work, not refusals.
      ...Object.fromEntries(
        ['PASSWORD_PAIR', 'PASSWORD_USER', 'PASSWORD_ADDRESS', 'SEND_PHONE', 'SEND_ACCOUNT', 'SEND_ADDRESS'].map(
          (name) => [`LIMIT_${name}`, 'off'],
        ),
      ),
      RESEND_COOLDOWN: '0',
      MAX_GUESS_RISK: '1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const urls = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it did not start:\n${output}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      code = /^code (\d+) for/m.exec(text)?.[1] ?? code;
      // Log lines are read and dropped once it has started.
      if (output.length < 10_000) output += text;
      const url = /doorcode listens on (\S+)/.exec(output)?.[1];
      const metricsUrl = /metrics are on (\S+)/.exec(output)?.[1];
      if (url !== undefined && metricsUrl !== undefined) resolve({ url, metricsUrl });
    });
  });
  return {
    ...urls,
    process: child,
    lastCode: () => code,
    async stop() {
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      rmSync(folder, { recursive: true });
    },
  };
}

const json = { 'content-type': 'application/json' };
const credentials = JSON.stringify({ username: 'alice', password: PASSWORD });

async function signIn({ url, lastCode }) {
  const cookieOf = (response) => response.headers.getSetCookie().map((line) => line.split(';')[0]);
  const login = await fetch(`${url}/login`, { method: 'POST', headers: json, body: credentials });
  const [challenge] = cookieOf(login);
  const body = JSON.stringify({ otp: lastCode() });
  const otp = await fetch(`${url}/otp`, { method: 'POST', headers: { ...json, cookie: challenge }, body });
  return cookieOf(otp).find((cookie) => cookie.startsWith('doorcode-session='));
}

/** As many as answers come: a quarter of the connections log in, the others ask who is there. */
async function load({ url }, session, { seconds, connections }) {
  const logins = Math.ceil(connections / 4);
  const results = await Promise.all([
    cannon({
      url: `${url}/login`,
      connections: logins,
      duration: seconds,
      method: 'POST',
      headers: json,
      body: credentials,
    }),
    cannon({ url: `${url}/auth`, connections: connections - logins, duration: seconds, headers: { cookie: session } }),
  ]);
  return together(results, seconds);
}

/** A hundred requests a second, for ten seconds. */
async function steady({ url }, session) {
  const options = {
    url: `${url}/auth`,
    connections: 10,
    overallRate: CALM_RATE,
    duration: 10,
    headers: { cookie: session },
  };
  return together([await cannon(options)], 10);
}

/** Runs autocannon, and keeps of each answer its status and its time. */
async function cannon(options) {
  const answers = [];
  const run = autocannon({ timeout: 20, ...options });
  run.on('response', (_client, status, _bytes, ms) => answers.push({ status, ms }));
  const { errors } = await run;
  return { answers, errors };
}

function together(results, seconds) {
  const answers = results.flatMap((result) => result.answers);
  const statuses = {};
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  const good = answers.filter(({ status }) => status === 200).map(({ ms }) => ms);
  good.sort((a, b) => a - b);
  const at = (share) => Math.round(good[Math.min(good.length - 1, Math.floor(share * good.length))] ?? Number.NaN);
  return {
    statuses,
    errors: results.reduce((all, { errors }) => all + errors, 0),
    perSecond: Math.round(good.length / seconds),
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
  };
}

/** Requests that arrive a byte at a time. */
async function openSlowly({ url }) {
  const { hostname, port } = new URL(url);
  let cut = 0;
  const sockets = Array.from({ length: SLOW_CONNECTIONS }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.on('close', () => {
      cut += 1;
    });
    socket.resume();
    return socket;
  });
  const text = `POST /login HTTP/1.1\r\nHost: ${hostname}\r\nX-Slow: ${'x'.repeat(1000)}`;
  let sent = 0;
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write(text[sent] ?? 'x');
    sent += 1;
  }, 500);
  await sleep(500);
  return {
    /** @returns how many the service has cut by itself */
    async cut() {
      for (let waited = 0; waited < 15_000 && cut < SLOW_CONNECTIONS; waited += 100) await sleep(100);
      clearInterval(timer);
      const byItself = cut;
      for (const socket of sockets) socket.destroy();
      return byItself;
    },
  };
}

async function memory({ metricsUrl }) {
  const page = await (await fetch(metricsUrl)).text();
  const megabytes = (name) => Math.round(Number(new RegExp(`^doorcode_${name} (\\S+)`, 'm').exec(page)?.[1]) / 1e6);
  return { rssMb: megabytes('process_resident_memory_bytes'), heapMb: megabytes('nodejs_heap_size_used_bytes') };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, connections: { type: 'string' } } });
  const { figures, faults } = await benchOverload({
    seconds: Number(values.seconds ?? 30),
    connections: Number(values.connections ?? 600),
  });
  console.log(JSON.stringify(figures, null, 2));
  for (const fault of faults) console.log(`FAILED: ${fault}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
