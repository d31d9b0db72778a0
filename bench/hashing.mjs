// How long a code takes to be checked while passwords are being hashed without a pause.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashPassword } from '../dist/users/password.js';
import { createVisitors } from './challenges.mjs';
import { productionEnv } from './doorcode-env.mjs';
import { freePort } from './gateways.mjs';
import { createAppetite, load, startServer } from './load.mjs';
import { ratioRow } from './statistics.mjs';

const ROUNDS = 3;
const LEAST = 10_000;
/** So few at a time that the figure is the service's and not the queue in front of it. */
const CONNECTIONS = 4;

export async function benchHashing(folder) {
  const key = randomBytes(32);
  const visitors = await createVisitors(key);
  const users = join(folder, 'users.json');
  const passwordHash = await hashPassword('the right one');
  await writeFile(users, JSON.stringify([{ username: 'alice', passwordHash, phone: '+15550100101' }]), { mode: 0o600 });
  const port = await freePort();
  const { USERS_URL, USERS_TOKEN, ...env } = productionEnv(port, key);
  const off = Object.fromEntries(['PAIR', 'USER', 'ADDRESS'].map((what) => [`LIMIT_PASSWORD_${what}`, 'off']));
  const server = await startServer({
    env: { ...env, ...off, USERS_FILE: users },
    cores: '0,1',
    words: 'doorcode listens',
  });
  const url = `http://127.0.0.1:${port}`;
  const body = JSON.stringify({ username: 'alice', password: 'a wrong one' });
  const login =
    `POST /login HTTP/1.1\r\nhost: login.example.com\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`;
  const flood = join(folder, 'flood');
  await writeFile(flood, login);
  const lua = new URL('./wrk.lua', import.meta.url).pathname;
  const appetite = createAppetite(LEAST);
  const check = async (again = false) => {
    const told = await load(url, visitors.right(appetite.most()), { folder, connections: CONNECTIONS, again });
    appetite.saw(told);
    return told;
  };
  try {
    for (let round = 0; round < 3; round += 1) await check(true);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const alone = await check();
      const logins = spawn('taskset', ['-c', '1', 'wrk', '-t1', '-c32', '-d30s', '-s', lua, url, '--', flood], {
        stdio: 'ignore',
      });
      const ended = once(logins, 'exit');
      const beside = await check();
      logins.kill('SIGKILL');
      await ended;
      rounds.push([alone.p99, beside.p99]);
    }
    const ms = rounds.map((pair) => pair.map((p99) => p99.toFixed(1)).join(' → ')).join(', ');
    return [
      ratioRow(
        'p99 of POST /otp while /login hashes without a pause, over p99 alone',
        rounds.map(([alone, beside]) => beside / alone),
        3,
        { atLeast: false, note: `ms: ${ms}` },
      ),
    ];
  } finally {
    await server.stop();
  }
}
