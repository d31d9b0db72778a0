// node bench/rolling-restart.mjs: two replicas behind a gateway from deploy/, people signing in all the time, and each
// replica restarted three times. Needs dist/ and the gateway's program; with --redis also redis-server.
//   --seconds 60  --in-flight 50  --gateway haproxy|nginx  --signal SIGTERM|SIGKILL  --redis  --restarts 3  --patient
// With --patient no time-out of a gateway or of a replica that ends takes a busy machine for a fault, except those for users
// and messages (5 s).
// A killed replica may have used a code whose answer was lost; the code is then refused to a second try, as it must be,
// and who typed it logs in anew: `startedOver`. The last line is JSON; the exit code 1 when a sign-in failed or, with SIGTERM, a connection was reset.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { createCertificate } from '../dist/phone-simulator/certificate.js';
import { freePort, startGateway } from './gateways.mjs';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    'in-flight': { type: 'string', default: '50' },
    restarts: { type: 'string', default: '3' },
    gateway: { type: 'string', default: 'haproxy' },
    signal: { type: 'string', default: 'SIGTERM' },
    redis: { type: 'boolean', default: false },
    patient: { type: 'boolean', default: false },
  },
});
const MAIN = fileURLToPath(new URL(flags.patient ? './patient-replica.mjs' : '../dist/main.js', import.meta.url));
const seconds = Number(flags.seconds);
const inFlight = Number(flags['in-flight']);
const restarts = Number(flags.restarts);
const killed = flags.signal === 'SIGKILL';
const folder = await mkdtemp(join(tmpdir(), 'doorcode-restart-'));
const children = new Set();
const servers = [];
let gateway;
let failed = true;

function run(program, args, env = {}) {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function until(child, words) {
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += chunk;
    if (output.includes(words)) break;
  }
  child.stdout.resume();
  if (!output.includes(words)) throw new Error(`it ended:\n${output}`);
}

async function listen(answer) {
  const server = createServer(async (incoming, response) => {
    const body = answer(JSON.parse((await text(incoming)) || '{}'), incoming.headers);
    // Somewhere between one and ten hundredths of a second, as from elsewhere.
    await setTimeout(10 + Math.random() * 90);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `127.0.0.1:${server.address().port}`;
}

try {
  const codes = new Map();
  const phoneOf = (username) => `+1555${username.slice(1).padStart(7, '0')}`;
  const users = await listen(({ username }) => ({ username, phone: phoneOf(username) }));
  const inbox = await listen(({ to, code }) => codes.set(to, code) && {});
  const app = await listen((_body, headers) => ({ user: headers['remote-user'] }));
  const port = await freePort();
  const env = {
    ORIGIN: `https://login.example.com:${port}`,
    COOKIE_DOMAIN: 'example.com',
    TRUST_PROXY: 'loopback',
    SESSION_KEYS: randomBytes(32).toString('base64'),
    ASSERTION_KEY: randomBytes(32).toString('base64'),
    USERS_URL: `http://${users}/`,
    WEBHOOK_URL: `http://${inbox}/`,
    WEBHOOK_SECRET: 'a secret of this run',
    LIMIT_SEND_ADDRESS: 'off',
    // Who retries a login whose answer was lost would else wait for it, as counted in Redis.
    RESEND_COOLDOWN: '0',
    // Replicas that refuse requests because the machine is busy are another subject.
    MAX_EVENT_LOOP_DELAY: 'off',
    LOG_LEVEL: 'warn',
  };
  if (flags.redis) {
    const redisPort = await freePort();
    const args = ['--port', `${redisPort}`, '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'];
    await until(run('redis-server', args), 'Ready to accept connections');
    env.REDIS_URL = `redis://127.0.0.1:${redisPort}`;
  }

  const start = async (which) => {
    const child = run(process.execPath, [MAIN], {
      ...env,
      PORT: `${ports[which]}`,
      METRICS_PORT: `${metricsPorts[which]}`,
    });
    await until(child, 'doorcode listens');
    return child;
  };
  const ports = [await freePort(), await freePort()];
  const metricsPorts = [await freePort(), await freePort()];
  const replicas = await Promise.all([start(0), start(1)]);
  const { key, certificate: cert } = createCertificate(Date.now());
  gateway = await startGateway(flags.gateway, flags.gateway, {
    port,
    replicas: ports.map((replicaPort) => `127.0.0.1:${replicaPort}`),
    app,
    tls: { key, cert },
    patient: flags.patient,
  });

  const agent = new Agent({
    connect: { rejectUnauthorized: false, timeout: 60_000 },
    connections: inFlight,
    pipelining: 1,
  });
  const told = { signIns: 0, failures: [], resets: 0, retried: 0, startedOver: 0, restarts: 0 };

  /** One request of a browser; who retries, does so once, with anything that is no answer of doorcode. */
  async function ask(host, path, cookie, body) {
    for (let tries = 0; ; tries += 1) {
      let fault;
      try {
        const response = await request(`https://127.0.0.1:${port}${path}`, {
          dispatcher: agent,
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            host: `${host}:${port}`,
            ...(cookie && { cookie }),
            ...(body && { 'content-type': 'application/json' }),
          },
          ...(body && { body: JSON.stringify(body) }),
        });
        const answer = await response.body.text();
        if (response.statusCode === 200) return { ...response, answer };
        if (tries > 0 && answer.includes('otp_used')) throw new AnswerLost();
        fault = `${path} ${response.statusCode} ${answer.slice(0, 200)}`;
      } catch (error) {
        fault = `${path} ${error.code ?? error.message}`;
        told.resets += 1;
      }
      if (!killed || tries > 0) throw new Error(fault);
      told.retried += 1;
      await setTimeout(100);
    }
  }

  class AnswerLost extends Error {}

  const cookieOf = ({ headers }, name) =>
    [headers['set-cookie'] ?? []]
      .flat()
      .map((line) => line.split(';')[0])
      .find((pair) => pair.split('=')[0].endsWith(`doorcode-${name}`));

  /** Waits until people have signed in at a replica that was restarted: the gateway sends it requests again. */
  async function serves(which) {
    for (let tries = 0; tries < 1200; tries += 1) {
      const page = await (await fetch(`http://127.0.0.1:${metricsPorts[which]}/metrics`)).text();
      if (/^doorcode_checks_total\{.*outcome="ok".*\} [1-9]/m.test(page)) return;
      await setTimeout(100);
    }
    throw new Error(`replica ${which} gets no requests after its restart:\n${gateway.output()}`);
  }

  let people = 0;
  async function signIn() {
    people += 1;
    const username = `u${people}`;
    try {
      const login = await ask('login.example.com', '/login', undefined, { username, password: 'x' });
      const otp = codes.get(phoneOf(username));
      const done = await ask('login.example.com', '/otp', cookieOf(login, 'challenge'), { otp });
      const seen = await ask('app.example.com', '/', cookieOf(done, 'session'));
      if (JSON.parse(seen.answer).user !== username) throw new Error(`the app saw ${seen.answer}`);
      told.signIns += 1;
    } catch (error) {
      if (!(error instanceof AnswerLost)) return told.failures.push(error.message);
      told.startedOver += 1;
      await signIn();
    }
  }

  while ((await ask('login.example.com', '/readyz').catch(() => null)) === null) await setTimeout(100);
  Object.assign(told, { resets: 0, retried: 0 });
  const endAt = performance.now() + seconds * 1000;
  let restarting = true;
  const load = Array.from({ length: inFlight }, async () => {
    while (restarting || performance.now() < endAt) await signIn();
  });
  // Evenly over the time, if it is long enough.
  const every = (seconds * 1000) / (restarts * 2 + 1);
  for (let round = 0; round < restarts * 2; round += 1) {
    const startedAt = performance.now();
    const which = round % 2;
    const child = replicas[which];
    const ended = once(child, 'exit');
    child.kill(flags.signal);
    await ended;
    replicas[which] = await start(which);
    // As an orchestrator does: the next one is restarted only when this one is ready, and the gateway uses it.
    await serves(which);
    await setTimeout(Math.max(0, every - (performance.now() - startedAt)));
    told.restarts += 1;
  }
  restarting = false;
  await Promise.all(load);
  await agent.close();
  failed = told.failures.length > 0 || (!killed && told.resets > 0);
  if (failed) console.log(gateway.output());
  for (const failure of told.failures.slice(0, 10)) console.log(failure);
  console.log(JSON.stringify({ ...flags, ...told, failures: told.failures.length }));
} finally {
  await gateway?.stop();
  for (const child of children) child.kill('SIGKILL');
  for (const server of servers) server.close().closeAllConnections();
  await rm(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
