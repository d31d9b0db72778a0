// node bench/gateway-connections.mjs [nginx haproxy caddy]: what an operator's users need of a gateway, through each gateway
// from deploy/ with two replicas behind it: a WebSocket that is idle for 90 s, server-sent events with a pause of 40 s, an
// upload of 50 MB, and a link of 1,500 characters with 60 return origins. Needs dist/ and the programs; ends by itself in two
// minutes. One line for each result; the exit code is 1 if any failed.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createCertificate } from '../dist/phone-simulator/certificate.js';
import { freePort, startGateway } from './gateways.mjs';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const IDLE_SECONDS = 90;
const PAUSE_SECONDS = 40;
const LOGIN = 'login.example.com';
const APP = 'app.example.com';
const names = process.argv.length > 2 ? process.argv.slice(2) : ['nginx', 'haproxy', 'caddy'];

/** An app: counts a body, sends two server-sent events, and echoes what it gets over a WebSocket. */
async function startApp() {
  const server = createServer(async (incoming, response) => {
    if (incoming.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      await setTimeout(PAUSE_SECONDS * 1000);
      response.end('data: 2\n\n');
      return;
    }
    let bytes = 0;
    for await (const chunk of incoming) bytes += chunk.length;
    response.end(JSON.stringify({ bytes, user: incoming.headers['remote-user'] }));
  });
  server.on('upgrade', ({ headers }, socket) => {
    const proof = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Accept: ${createHash('sha1').update(proof).digest('base64')}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, address: `127.0.0.1:${server.address().port}` };
}

async function startReplica(folder, env) {
  const child = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const read = { output: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    read.output += chunk;
  });
  const listens = /doorcode listens on http:\/\/(\S+)/;
  for (let tries = 0; !listens.test(read.output); tries += 1) {
    if (child.exitCode !== null || tries > 600) throw new Error(`a replica does not listen:\n${read.output}`);
    await setTimeout(50);
  }
  return { child, read, address: listens.exec(read.output)[1].replace('localhost', '127.0.0.1') };
}

async function measure(name) {
  const folder = await mkdtemp(join(tmpdir(), 'doorcode-connections-'));
  const ended = [];
  try {
    const app = await startApp();
    ended.push(() => app.server.close().closeAllConnections());
    const port = await freePort();
    const origins = Array.from({ length: 59 }, (_, index) => `https://an-app-with-a-long-name-${index}.example.com`);
    const env = {
      ORIGIN: `https://${LOGIN}:${port}`,
      COOKIE_DOMAIN: 'example.com',
      ALLOWED_RETURN_ORIGINS: [`https://${APP}:${port}`, ...origins].join(','),
      TRUST_PROXY: 'loopback',
      SESSION_KEYS: randomBytes(32).toString('base64'),
    };
    const replicas = await Promise.all([startReplica(folder, env), startReplica(folder, env)]);
    for (const { child } of replicas) ended.push(() => child.kill('SIGKILL'));
    const { key, certificate: cert } = createCertificate(Date.now());
    const gateway = await startGateway(name, name, {
      port,
      replicas: replicas.map(({ address }) => address),
      app: app.address,
      tls: { key, cert },
    });
    ended.unshift(() => gateway.stop());

    const open = (path, { host = APP, method = 'GET', headers = {} } = {}) => {
      const outgoing = request({ host: '127.0.0.1', port, path, method, rejectUnauthorized: false, agent: false });
      for (const [header, value] of Object.entries({ host: `${host}:${port}`, ...headers }))
        outgoing.setHeader(header, value);
      return outgoing;
    };
    const ask = async (path, { body = '', ...options } = {}) => {
      const outgoing = open(path, options);
      outgoing.end(body);
      const [response] = await once(outgoing, 'response');
      return { status: response.statusCode, headers: response.headers, body: await text(response) };
    };
    for (let tries = 0; (await ask('/login', { host: LOGIN })).status !== 200 && tries < 100; tries += 1)
      await setTimeout(50);

    const cookies = new Map();
    const post = async (path, body) => {
      const headers = {
        'content-type': 'application/json',
        ...(cookies.size > 0 && { cookie: [...cookies.values()].join('; ') }),
      };
      const answer = await ask(path, { host: LOGIN, method: 'POST', headers, body: JSON.stringify(body) });
      for (const line of answer.headers['set-cookie'] ?? []) cookies.set(line.split('=')[0], line.split(';')[0]);
      return answer;
    };
    await post('/login', { username: 'demo', password: 'demo' });
    const [, otp] = /code (\d{6})/.exec(replicas.map(({ read }) => read.output).join('')) ?? [];
    const signedIn = await post('/otp', { otp });
    if (signedIn.status !== 200) throw new Error(`sign-in: ${signedIn.status} ${signedIn.body}`);
    const cookie = [...cookies.values()].join('; ');

    const checks = {
      [`a WebSocket that is idle for ${IDLE_SECONDS} s`]: async () => {
        const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
        const proof = { 'sec-websocket-key': randomBytes(16).toString('base64') };
        const outgoing = open('/socket', { headers: { cookie, ...upgrade, ...proof } });
        outgoing.end();
        const [, socket] = await once(outgoing, 'upgrade');
        await setTimeout(IDLE_SECONDS * 1000);
        socket.write('still here');
        const [echoed] = await Promise.race([
          once(socket, 'data'),
          once(socket, 'close').then(() => ['closed']),
          setTimeout(10_000, ['no answer']),
        ]);
        socket.destroy();
        return String(echoed) === 'still here' ? null : String(echoed);
      },
      [`server-sent events, ${PAUSE_SECONDS} s apart`]: async () => {
        const { status, body } = await ask('/events', { headers: { cookie } });
        return status === 200 && body === 'data: 1\n\ndata: 2\n\n' ? null : `${status} ${JSON.stringify(body)}`;
      },
      'an upload of 50 MB': async () => {
        const bytes = 50 * 1024 * 1024;
        const answer = await ask('/upload', { method: 'POST', headers: { cookie }, body: Buffer.alloc(bytes) });
        return answer.status === 200 && JSON.parse(answer.body).bytes === bytes ? null : `${answer.status}`;
      },
      'a link of 1,500 characters, 60 return origins': async () => {
        const link = `/deep?${'a=%26&'.repeat(249)}`;
        const { status, headers } = await ask(link, { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } });
        const next = new URL(headers.location ?? 'https://none.invalid').searchParams.get('next');
        if (status !== 303 || next !== `https://${APP}:${port}${link}`) return `${status} ${headers.location}`;
        const through = await ask(link, { headers: { cookie } });
        if (through.status !== 200 || JSON.parse(through.body).user !== 'demo') return `signed in: ${through.status}`;
        const page = await ask('/login', { host: LOGIN, headers: { accept: 'text/html' } });
        return page.headers['content-security-policy']?.includes(origins.at(-1)) ? null : `the page: ${page.status}`;
      },
    };
    const results = await Promise.all(
      Object.entries(checks).map(async ([what, check]) => {
        const fault = await check().catch((error) => String(error));
        console.log(
          `${fault === null ? 'ok' : 'FAILED'}  ${name.padEnd(8)} ${what}${fault === null ? '' : `: ${fault}`}`,
        );
        return fault === null;
      }),
    );
    return results.every(Boolean);
  } finally {
    for (const end of ended) await end();
    await rm(folder, { recursive: true, force: true });
  }
}

const results = await Promise.all(
  names.map((name) =>
    measure(name).catch((error) => {
      console.log(`FAILED  ${name}: ${error.message}`);
      return false;
    }),
  ),
);
process.exit(results.every(Boolean) ? 0 : 1);
