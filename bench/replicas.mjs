// Counts in Redis: round trips for each answer, and what a second replica on a second core brings. The generator and
// Redis need their share of the two cores as well; how much is told.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { createVisitors } from './challenges.mjs';
import { productionEnv } from './doorcode-env.mjs';
import { freePort } from './gateways.mjs';
import { createAppetite, load, startServer } from './load.mjs';
import { ratioRow } from './statistics.mjs';

const ROUNDS = 3;
const SECONDS = 1;
const LEAST = 10_000;

export function hasRedis() {
  try {
    execFileSync('which', ['redis-server']);
    return true;
  } catch {
    return false;
  }
}

async function startRedis(cores) {
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'];
  const child = spawn('taskset', ['-c', cores, 'redis-server', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    if (text.includes('Ready to accept connections')) break;
  }
  child.stdout.resume();
  return {
    port,
    child,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Passes everything on and counts how often something comes from the client: with pipelined commands, the round trips. */
async function countTrips(target) {
  let trips = 0;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    near.on('data', () => {
      trips += 1;
    });
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: server.address().port, trips: () => trips, stop: () => server.close() };
}

/** Seconds of processor that a process has used. */
function cpuSeconds({ pid }) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export async function benchRoundTrips() {
  const key = randomBytes(32);
  const visitors = await createVisitors(key);
  const redis = await startRedis('1');
  const proxy = await countTrips(redis.port);
  const port = await freePort();
  const env = { ...productionEnv(port, key), REDIS_URL: `redis://127.0.0.1:${proxy.port}` };
  const server = await startServer({ env, words: 'doorcode listens' });
  try {
    const cost = async (request) => {
      const [head, body] = request.split('\r\n\r\n');
      const headers = { cookie: /^cookie: (.*)$/m.exec(head)[1], 'content-type': 'application/json' };
      const before = proxy.trips();
      await (await fetch(`http://127.0.0.1:${port}/otp`, { method: 'POST', headers, body })).text();
      return proxy.trips() - before;
    };
    await cost(visitors.wrong(1)[0]);
    const wrong = await cost(visitors.wrong(1)[0]);
    const right = await cost(visitors.right(1)[0]);
    const figure = `${wrong} / ${right}`;
    return [{ name: 'round trips to Redis, wrong / right code', figure, target: '1 / 2', met: figure === '1 / 2' }];
  } finally {
    await server.stop();
    proxy.stop();
    await redis.stop();
  }
}

export async function benchReplicas(folder) {
  const key = randomBytes(32);
  const visitors = await createVisitors(key);
  const redis = await startRedis('0,1');
  const ports = [await freePort(), await freePort(), await freePort()];
  const start = (port, cores) =>
    startServer({
      env: { ...productionEnv(port, key), REDIS_URL: `redis://127.0.0.1:${redis.port}` },
      cores,
      words: 'doorcode listens',
    });
  const alone = await start(ports[0], '0');
  const pair = await Promise.all([start(ports[1], '0'), start(ports[2], '1')]);
  const appetite = createAppetite(LEAST);
  const ask = async (port, requests, again) => {
    const options = {
      folder: `${folder}`,
      seconds: SECONDS,
      // So many that no replica waits for the generator.
      connections: 100,
      cores: '0,1',
      name: String(port),
      again,
    };
    return load(`http://127.0.0.1:${port}`, requests, options);
  };
  const ratios = [];
  const shares = [];
  try {
    for (let round = -2; round < ROUNDS; round += 1) {
      const one = await ask(ports[0], visitors.right(appetite.most()), round < 0);
      appetite.saw(one);
      const people = [visitors.right(appetite.most()), visitors.right(appetite.most())];
      const before = [cpuSeconds(redis.child), ...pair.map(({ child }) => cpuSeconds(child))];
      const startedAt = performance.now();
      const both = await Promise.all([ask(ports[1], people[0], round < 0), ask(ports[2], people[1], round < 0)]);
      const seconds = (performance.now() - startedAt) / 1000;
      const used = [redis.child, ...pair.map(({ child }) => child)].map((child, n) => cpuSeconds(child) - before[n]);
      if (round < 0) continue;
      ratios.push((both[0].perSecond + both[1].perSecond) / one.perSecond);
      shares.push(used.map((cpu) => Math.round((cpu / seconds / 2) * 100)));
    }
  } finally {
    await Promise.all([alone, ...pair].map((server) => server.stop()));
    await redis.stop();
  }
  const [redisShare, first, second] = shares[shares.length >> 1];
  const rest = Math.max(0, 100 - redisShare - first - second);
  return [
    ratioRow('two replicas with Redis on two cores, over one on one core', ratios, 1.5, {
      atLeast: true,
      note: `of the two cores the replicas had ${first + second} %, Redis ${redisShare} %, the generator and the rest ${rest} %`,
    }),
  ];
}
