import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { CookieJar } from '../support/build-app.ts';
import { keep } from '../support/kept.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { program } from '../support/programs.ts';
import { freePort } from '../support/redis.ts';
import { childEnv, MAIN, startService } from '../support/service.ts';
import { startSignalWire } from '../support/signalwire.ts';

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(t: Test, args: string[], env: Record<string, string> = {}, input = ''): Promise<Finished> {
  return new Promise((resolve) => {
    const options = { env: childEnv(env), cwd: t.testdir({}) };
    const child = execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

t.test('with no variable set it serves the sign-in: password, code from the console, session, sign out', async (t) => {
  const service = await startService(t);
  for (const text of ['demo', 'codes appear here, on the console', 'restart']) t.match(service.output(), text);
  const jar = new CookieJar();
  const login = await service.post('/login', { username: 'demo', password: 'demo' }, jar);
  t.match(await login.json(), { status: 'otp_sent', to: '+1 ••• ••• ••00' });
  const code = /code (\d{6}) for \+15550100100/.exec(service.output())?.[1];
  const verified = await service.post('/otp', { otp: code }, jar);
  t.match(await verified.json(), { status: 'authenticated', user: 'demo', next: '/' });
  t.match(await (await service.get('/session', jar)).json(), { user: 'demo', amr: ['pwd', 'otp', 'sms'] });
  const old = jar.clone();
  t.equal((await service.post('/logout', undefined, jar)).status, 200);
  t.equal((await service.get('/session', old)).status, 401);
  t.equal(await service.stop(), 0);
});

t.test('with a port for metrics they are told there, and not to users', async (t) => {
  const service = await startService(t, { METRICS_PORT: '0' });
  await service.post('/login', { username: 'demo', password: 'demo' });
  const url = /http:\/\/\S+\/metrics/.exec(service.output())?.[0] ?? '';
  const page = await fetch(url);
  t.match(page.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const lines = (await page.text()).split('\n');
  t.ok(lines.includes('doorcode_sign_ins_total{outcome="ok"} 1'));
  t.ok(lines.some((line) => /^doorcode_build_info\{version="\d+\.\d+\.\d+[^"]*"\} 1$/.test(line)));
  t.equal((await service.get('/metrics')).status, 404);
  t.equal(await service.stop(), 0);
});

t.test('with a collector it is told of requests, the last of them when the service stops', async (t) => {
  const { url, visits } = await startLoopbackServer(t, (_visit, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const service = await startService(t, { OTEL_EXPORTER_OTLP_ENDPOINT: url });
  t.equal((await service.post('/login', { username: 'demo', password: 'demo' })).status, 200);
  t.equal(await service.stop('SIGINT'), 0);
  const told = visits.map(({ method, path, body }) => `${method} ${path} ${body}`).join('\n');
  keep('trace', told);
  t.match(told, /^POST \/v1\/traces /);
  for (const words of ['"doorcode"', '"POST"', '"/login"']) t.match(told, words);
});

const fault = `process.on('SIGUSR2', () => setImmediate(() => { throw new Error('no code 482915 for +15550100100'); }))`;
/** NODE_OPTIONS with which the process throws an error that is not caught when it receives SIGUSR2. */
const CRASH_ON_SIGUSR2 = `--import=data:text/javascript,${encodeURIComponent(fault)}`;

t.test('what nobody caught ends it, and the log says where but quotes nothing', async (t) => {
  const service = await startService(t, { NODE_OPTIONS: CRASH_ON_SIGUSR2 });
  t.equal(await service.stop('SIGUSR2'), 1);
  const crash = service
    .output()
    .split('\n')
    .find((line) => line.includes('sys_crash'));
  t.match(JSON.parse(crash ?? '{}'), { level: 60, event: 'sys_crash', err: { type: 'Error', stack: /Immediate/ } });
  t.notMatch(crash ?? '', /482915|15550100100/);
});

t.test('every fault of the configuration is told at once, by name, with exit code 78', async (t) => {
  const { code, stderr } = await run(t, [], { NODE_ENV: 'production', PORT: 'x', OTP_TTL: '5' });
  t.equal(code, 78);
  for (const name of ['PORT', 'OTP_TTL', 'SESSION_KEYS', 'ORIGIN', 'USERS_FILE', 'DELIVERY']) t.match(stderr, name);
  const users = await run(t, [], { USERS_FILE: 'missing.json' });
  t.match(users, { code: 78, stderr: /USERS_FILE: / });
});

t.test('what HOST, PORT and COOKIE_DOMAIN may not be is a fault with its name, exit code 78', async (t) => {
  const service = await startService(t);
  const table: [env: Record<string, string>, stderr: RegExp][] = [
    [{ PORT: new URL(service.url).port }, /^ {2}PORT: \d+ is taken \(EADDRINUSE\)$/m],
    [{ METRICS_PORT: new URL(service.url).port }, /^ {2}METRICS_PORT: \d+ is taken \(EADDRINUSE\)$/m],
    // An address for documentation, which no machine has (RFC 5737).
    [{ HOST: '192.0.2.1' }, /^ {2}HOST: 192\.0\.2\.1 is no address of this machine \(EADDRNOTAVAIL\)$/m],
    [
      { ORIGIN: 'http://a_b.example.com', COOKIE_DOMAIN: 'a_b.example.com' },
      /^ {2}COOKIE_DOMAIN: must be a domain name/m,
    ],
    [{ ORIGIN: 'http://[2001:db8::1]', COOKIE_DOMAIN: '[2001:db8::1]' }, /^ {2}COOKIE_DOMAIN: must be a domain name/m],
  ];
  for (const [env, stderr] of table) t.match(await run(t, ['serve'], { PORT: '0', ...env }), { code: 78, stderr });
});

t.test('the other commands answer and end', async (t) => {
  t.match(await run(t, ['--help']), { code: 0, stdout: 'Usage: doorcode' });
  t.match(await run(t, ['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  t.match(await run(t, ['key']), { code: 0, stdout: /^[A-Za-z0-9+/]{43}=\n$/ });
  t.match(await run(t, ['nonsense']), { code: 64, stderr: 'nonsense' });
  t.match(await run(t, ['user', 'add', 'alice', '+15550100101'], {}, 'a long password\n'), {
    code: 0,
    stdout: 'Added alice to users.json.\n',
  });
});

/** Runs the program in a folder with this `.env`, by default the service with settings that end its start. */
function runWithEnvFile(
  t: Test,
  content: Parameters<Test['testdir']>[0],
  env: Record<string, string> = {},
  args: string[] = [],
): Promise<Finished> {
  const cwd = t.testdir(content === undefined ? {} : { '.env': content });
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env: childEnv({ PORT: '0', ...env }), cwd },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

t.test('settings come from a file .env, and the environment goes before it', async (t) => {
  const { code, stderr } = await runWithEnvFile(t, 'NODE_ENV=production\nSESSION_KEYS=\nPORT=nonsense\n');
  t.equal(code, 78);
  t.match(stderr, 'SESSION_KEYS');
  t.notMatch(stderr, 'PORT');
});

t.test('a .env is read whole or refused: byte-order marks, UTF-16, number signs', async (t) => {
  const text = 'NODE_ENV=production\nOTP_TTL=10#\n';
  for (const content of [text, `\uFEFF${text}`, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r')]) {
    const { code, stderr } = await runWithEnvFile(t, content);
    t.equal(code, 78);
    // The first line, and the value to its end.
    for (const fault of ['SESSION_KEYS: is missing', 'OTP_TTL: must be'])
      t.match(stderr, fault, JSON.stringify(content));
  }
  t.match(await runWithEnvFile(t, Buffer.from(`\uFEFF${text}`, 'utf16le')), {
    code: 78,
    stdout: '',
    stderr: /\.env: is UTF-16/,
  });
  t.match(await runWithEnvFile(t, 'NODE_ENV=production\nOTP_TTL=60 # seconds\nMETRICS_PORT\n'), {
    code: 78,
    stdout: '',
    stderr: /\.env:2: OTP_TTL contains # after a blank.*\n.*\.env:3: must be NAME=value/,
  });
});

t.test('a .env that is there but cannot be read ends the start', async (t) => {
  t.match(await runWithEnvFile(t, {}), { code: 78, stderr: '.env: cannot be read (EISDIR)' });
  t.match(await runWithEnvFile(t, t.fixture('symlink', 'missing')), {
    code: 78,
    stdout: '',
    stderr: '.env: is a link to a file that does not exist',
  });
});

t.test('an empty variable of the environment counts as unset, so that the value in .env holds', async (t) => {
  for (const empty of ['', ' ', '\t']) {
    const finished = await runWithEnvFile(t, 'NODE_ENV=production\n', { NODE_ENV: empty });
    t.match(finished, { code: 78, stderr: /SESSION_KEYS/ }, JSON.stringify(empty));
  }
});

t.test('commands that use no settings do not read .env', async (t) => {
  const broken = 'NODE_ENV\n';
  for (const args of [['--help'], ['--version'], ['key'], ['attack', '--help']]) {
    t.match(await runWithEnvFile(t, broken, {}, args), { code: 0, stderr: '' }, args.join(' '));
  }
  for (const args of [['serve'], ['unlock', 'alice'], ['subject', 'alice']]) {
    t.match(await runWithEnvFile(t, broken, {}, args), { code: 78, stderr: '.env:1' }, args.join(' '));
  }
});

t.test('SIGTERM: readiness turns 503, what is in flight is answered with Connection: close, exit 0', async (t) => {
  let release = () => {};
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const inbox = createServer((request, response) => {
    request.resume();
    release = () => response.end();
    arrive();
  }).listen(0, '127.0.0.1');
  t.teardown(() => inbox.close());
  await once(inbox, 'listening');
  const { port } = inbox.address() as AddressInfo;
  const service = await startService(t, {
    DELIVERY: 'webhook',
    WEBHOOK_URL: `http://127.0.0.1:${port}/inbox`,
    WEBHOOK_SECRET: 'a secret of the tests',
  });
  t.equal((await service.get('/readyz')).status, 200);
  const login = service.post('/login', { username: 'demo', password: 'demo' }, new CookieJar());
  await arrived;
  const stopped = service.stop('SIGTERM');
  let ready = await service.get('/readyz');
  for (let tries = 0; ready.status === 200 && tries < 100; tries += 1) ready = await service.get('/readyz');
  t.equal(ready.status, 503);
  t.match(await ready.json(), { status: 'not_ready', checks: { process: 'shutting down' } });
  t.equal(ready.headers.get('connection'), 'close');
  release();
  const answer = await login;
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('connection'), 'close');
  t.equal(await stopped, 0);
});

/** How long the process may take to end after SIGTERM, as the README states. */
const END_MS = 10_000;

/** Sends SIGTERM, and SIGKILL if the process is still there after {@link END_MS}, which is a failure. */
async function terminate(t: Test, pid: number, ended: Promise<unknown>): Promise<void> {
  let isLate = false;
  process.kill(pid, 'SIGTERM');
  const timer = setTimeout(() => {
    isLate = true;
    process.kill(pid, 'SIGKILL');
  }, END_MS);
  await ended;
  clearTimeout(timer);
  t.notOk(isLate, 'it ended without SIGKILL');
}

type Get = (path: string) => Promise<Response>;

/** Waits until the service on this port answers. @returns a function that sends requests to it */
async function whenServing(port: number, child: ChildProcess): Promise<Get> {
  const get: Get = (path) => fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(END_MS) });
  while (!(await get('/healthz').catch(() => ({ ok: false }))).ok) {
    if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`);
    await new Promise(setImmediate);
  }
  return get;
}

/** Starts the service with this standard output, waits until it answers, and ends it with SIGTERM. */
async function serveInto(
  t: Test,
  stdout: number | 'pipe',
  whileServing: (get: Get, child: ChildProcess) => Promise<void>,
): Promise<number | null> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    env: childEnv({ PORT: `${port}` }),
    cwd: t.testdirName,
    stdio: ['ignore', stdout, 'ignore'],
  });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await whileServing(await whenServing(port, child), child);
  await terminate(t, Number(child.pid), ended);
  return child.exitCode;
}

/** Causes more text than a pipe (65,536 bytes, pipe(7)) or a terminal takes: each request a line of over 100 characters. */
async function fillLog(get: Get): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 40 }, async () => (await get('/session')).arrayBuffer()));
  }
}

/** @returns a pipe that nothing reads, which is closed after the test; null without the program mkfifo */
async function stalledPipe(t: Test): Promise<number | null> {
  const mkfifo = program(t, 'mkfifo');
  if (mkfifo === null) return null;
  const fifo = join(t.testdir({}), 'log');
  await once(spawn(mkfifo, [fifo]), 'exit');
  // Opened for reading as well, so that it has a reader.
  const pipe = openSync(fifo, 'r+');
  t.teardown(() => closeSync(pipe));
  return pipe;
}

t.test('a log that cannot be written stops neither requests nor SIGTERM', async (t) => {
  const stalled = await stalledPipe(t);
  if (stalled === null) return;
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  const request = async (get: Get) => {
    for (let number = 0; number < 10; number += 1) t.equal((await get('/session')).status, 401);
  };

  t.equal(await serveInto(t, full, request), 0, 'the disk is full');
  const manyLines = async (get: Get) => {
    await fillLog(get);
    await request(get);
  };
  t.equal(await serveInto(t, stalled, manyLines), 0, 'the reader has stalled');
  const closed = async (get: Get, child: ChildProcess) => {
    child.stdout?.destroy();
    await request(get);
  };
  t.equal(await serveInto(t, 'pipe', closed), 0, 'the reader is gone');
});

/** Runs a program on a new terminal that nothing reads, prints its process id and ends with its exit code. */
const ON_UNREAD_TERMINAL = `
import os, subprocess, sys
terminal, end = os.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=end, stdout=end, stderr=end)
print(child.pid, flush=True)
sys.exit(child.wait())
`;

t.test('a terminal that is not read stops neither requests nor SIGTERM', async (t) => {
  const python = program(t, 'python3');
  if (python === null) return;
  for (const mode of ['development', 'test']) {
    const port = await freePort();
    const parent = spawn(python, ['-c', ON_UNREAD_TERMINAL, process.execPath, MAIN], {
      env: childEnv({ PORT: `${port}`, NODE_ENV: mode }),
      cwd: t.testdir({}),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(parent, 'exit');
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(line);
    t.teardown(async () => {
      if (parent.exitCode === null) process.kill(pid, 'SIGKILL');
      await ended;
    });
    const get = await whenServing(port, parent);
    await fillLog(get);
    t.equal((await get('/session')).status, 401);
    await terminate(t, pid, ended);
    t.equal(parent.exitCode, 0);
  }
});

t.test('a crash is reported on standard error while the reader of the log has stalled', async (t) => {
  const stalled = await stalledPipe(t);
  if (stalled === null) return;
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    env: childEnv({ PORT: `${port}`, NODE_OPTIONS: CRASH_ON_SIGUSR2 }),
    cwd: t.testdirName,
    stdio: ['ignore', stalled, 'pipe'],
  });
  const closed = once(child, 'close');
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await fillLog(await whenServing(port, child));
  child.kill('SIGUSR2');
  await closed;
  t.equal(child.exitCode, 1);
  t.match(JSON.parse(stderr), { level: 60, event: 'sys_crash', err: { type: 'Error', stack: /Immediate/ } });
  t.notMatch(stderr, /482915|15550100100/);
});

t.test('exit codes stay right where nothing can be written', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  const codeOf = async (args: string[], env: Record<string, string>) => {
    const options = { env: childEnv(env), cwd: t.testdir({}), stdio: ['ignore', full, full] as const };
    const [code] = await once(
      spawn(process.execPath, [MAIN, ...args], { ...options, stdio: [...options.stdio] }),
      'exit',
    );
    return code;
  };
  t.equal(await codeOf([], { PORT: 'x' }), 78, 'a fault of the configuration');
  t.equal(await codeOf(['nonsense'], {}), 64, 'a fault of the command line');
  t.equal(await codeOf(['key'], {}), 74, 'a key that was lost');
});

t.test('npm start hands SIGTERM on: no shell stands between npm and the service', async (t) => {
  const npm = program(t, 'npm');
  if (npm === null) return;
  const cwd = t.testdir({
    'package.json': readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    dist: t.fixture('symlink', dirname(MAIN)),
  });
  const env = { HOME: cwd, PORT: '0', npm_config_update_notifier: 'false', npm_config_loglevel: 'error' };
  // Without prestart: a build would take away what other tests are running.
  const child = spawn(npm, ['start', '--ignore-scripts'], { cwd, env: childEnv(env), detached: true });
  const closed = once(child, 'close');
  let output = '';
  let told = () => {};
  const listens = new Promise<void>((resolve) => {
    told = () => {
      if (output.includes('doorcode listens on')) resolve();
    };
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      told();
    });
  }
  // The whole group: what npm may have left behind, too.
  t.teardown(() => {
    try {
      process.kill(-Number(child.pid), 'SIGKILL');
    } catch {
      // All gone.
    }
  });
  await Promise.race([listens, closed.then(() => Promise.reject(new Error(output)))]);
  child.kill('SIGTERM');
  // Its output ends when the last process that writes to it has ended.
  await closed;
  t.match(output, '"msg":"sys_shutdown"');
});

t.test('the phone simulator takes the place of SignalWire: its notice is all that the service needs', async (t) => {
  // Not the folder of the test, which is the service's.
  const cwd = await mkdtemp(join(tmpdir(), 'doorcode-'));
  t.teardown(() => rm(cwd, { recursive: true }));
  const args = [MAIN, 'phone', '--port', '0', '--page-port', '0', '--certificate', join(cwd, 'some.pem')];
  const child = spawn(process.execPath, args, { env: childEnv({}), cwd });
  const ended = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  let notice = '';
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    notice += text;
    if (notice.includes('npm start')) break;
  }
  const [, page = ''] = /phone: (http:\S+) shows/.exec(notice) ?? [];
  const settings = Object.fromEntries([...notice.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]));

  const service = await startService(t, settings);
  while ((await service.get('/readyz')).status !== 200) await new Promise(setImmediate);
  const jar = new CookieJar();
  t.equal((await service.post('/login', { username: 'demo', password: 'demo' }, jar)).status, 200);
  const [message] = (await (await fetch(`${page}/messages`)).json()) as { text: string; to: string }[];
  t.match(message, { provider: 'signalwire', channel: 'sms', to: '+15550100100' });
  const otp = /#(\d{6})$/.exec(message?.text ?? '')?.[1];
  t.equal((await service.post('/otp', { otp }, jar)).status, 200);
  t.match(await (await fetch(page)).text(), `<strong class="code">${otp}</strong>`);

  child.kill('SIGTERM');
  t.strictSame(await ended, [0, null]);
});

t.test('the phone simulator does not start in production', async (t) => {
  t.match(await run(t, ['phone', '--port', '0'], { NODE_ENV: 'production' }), { code: 78, stderr: 'NODE_ENV' });
});

t.test('SIGINT ends it at once', async (t) => {
  const service = await startService(t);
  t.equal(await service.stop('SIGINT'), 0);
});

t.test(
  'SignalWire for real: its certificate trusted by NODE_EXTRA_CA_CERTS, ten messages on one connection',
  async (t) => {
    const signalwire = await startSignalWire();
    t.teardown(() => signalwire.close());
    const service = await startService(t, {
      NODE_EXTRA_CA_CERTS: signalwire.caFile,
      SIGNALWIRE_SPACE: signalwire.host,
      SIGNALWIRE_PROJECT: 'project-of-the-tests',
      SIGNALWIRE_TOKEN: 'token-of-the-tests',
      SIGNALWIRE_NUMBER: '+15550100199',
      RESEND_COOLDOWN: '0',
      LIMIT_SEND_PHONE: 'off',
      LIMIT_SEND_ACCOUNT: 'off',
      MAX_GUESS_RISK: '1',
      ORIGIN: 'http://login.example.com:3000',
    });
    const login = (jar = new CookieJar()) => service.post('/login', { username: 'demo', password: 'demo' }, jar);
    // The SDK loads in the background; until then the service says that it is not ready.
    while ((await service.get('/readyz')).status !== 200) await new Promise(setImmediate);

    for (let message = 0; message < 10; message += 1) {
      const jar = new CookieJar();
      t.equal((await login(jar)).status, 200);
      const [request] = signalwire.requests.slice(message);
      if (request === undefined) throw new Error('nothing arrived');
      const { method, path, headers, form } = request;
      t.equal(`${method} ${path}`, 'POST /2010-04-01/Accounts/project-of-the-tests/Messages.json');
      t.equal(
        headers.authorization,
        `Basic ${Buffer.from('project-of-the-tests:token-of-the-tests').toString('base64')}`,
      );
      t.match(form, { From: '+15550100199', To: '+15550100100' });
      t.match(form['Body'], /\n@login\.example\.com #\d{6}$/);
      const code = /#(\d{6})$/.exec(form['Body'] ?? '')?.[1];
      t.equal((await service.post('/otp', { otp: code }, jar)).status, 200);
    }
    t.equal(signalwire.requests.length, 10);
    t.equal(signalwire.connections, 1);

    const faults = [
      ['unauthorized', 503, 'delivery_failed'],
      ['invalid_number', 422, 'delivery_rejected'],
      ['server_error', 503, 'delivery_failed'],
      ['reset', 503, 'delivery_failed'],
      ['hang', 503, 'delivery_failed'],
    ] as const;
    for (const [behaviour, status, code] of faults) {
      signalwire.behave(behaviour);
      const started = performance.now();
      const jar = new CookieJar();
      const response = await login(jar);
      t.equal(response.status, status, behaviour);
      t.match(await response.json(), { code });
      t.equal(jar.header, '', 'no challenge cookie');
      t.ok(performance.now() - started < 10_000, 'within the deadline');
    }
    signalwire.release();
    t.equal((await login()).status, 200, 'and then it goes on');
    const logged = service
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    t.ok(logged.length > 20);
    t.notMatch(logged.join('\n'), '5550100100', 'no number in the log');
    t.notMatch(service.output(), 'token-of-the-tests');
  },
);
