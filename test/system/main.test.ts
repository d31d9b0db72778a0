import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
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
import { CRASH_ON_SIGUSR2, childEnv, MAIN, startService } from '../support/service.ts';
import { startSignalWire } from '../support/signalwire.ts';
import { until } from '../support/until.ts';

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. @param cwd an empty folder when absent */
function run(
  t: Test,
  args: string[],
  { env = {}, cwd = t.testdir({}), input = '' }: { env?: Record<string, string>; cwd?: string; input?: string } = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env: childEnv(env), cwd }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

t.test('with no variable set it serves the sign-in, and SIGINT ends it', async (t) => {
  const service = await startService(t);
  for (const text of ['demo', 'codes appear here, on the console', 'restart']) t.match(service.output(), text);
  const jar = new CookieJar();
  const login = await service.post('/login', { username: 'demo', password: 'demo' }, jar);
  t.match(await login.json(), { status: 'otp_sent', to: '+1 ••• ••• ••00' });
  const written = () => /code (\d{6}) for \+15550100100/.exec(service.output())?.[1];
  await until('the code', () => written() !== undefined);
  const verified = await service.post('/otp', { otp: written() }, jar);
  t.match(await verified.json(), { status: 'authenticated', user: 'demo', next: '/' });
  t.match(await (await service.get('/session', jar)).json(), { user: 'demo', amr: ['pwd', 'otp', 'sms'] });
  const old = jar.clone();
  t.equal((await service.post('/logout', undefined, jar)).status, 200);
  t.equal((await service.get('/session', old)).status, 401);
  t.equal(await service.stop('SIGINT'), 0);
});

t.test('SIGTERM: readiness turns 503, a request in flight is answered, spans are exported, exit 0', async (t) => {
  const { url: collector, visits } = await startLoopbackServer(t, (_visit, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const waiting: (() => void)[] = [];
  const inbox = createServer((request, response) => {
    request.resume();
    waiting.push(() => response.end());
  }).listen(0, '127.0.0.1');
  t.teardown(() => inbox.close());
  await once(inbox, 'listening');
  const { port } = inbox.address() as AddressInfo;
  const service = await startService(t, {
    METRICS_PORT: '0',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    WEBHOOK_URL: `http://127.0.0.1:${port}/inbox`,
    WEBHOOK_SECRET: 'a secret of the tests',
  });
  t.equal((await service.get('/readyz')).status, 200);

  t.equal((await service.post('/login', { username: 'demo', password: 'wrong' })).status, 401);
  t.equal((await service.get('/metrics')).status, 404, 'metrics are not shown to users');
  const metrics = await fetch(/http:\/\/\S+\/metrics/.exec(service.output())?.[0] ?? '');
  t.match(metrics.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const lines = (await metrics.text()).split('\n');
  t.ok(lines.includes('doorcode_sign_ins_total{outcome="invalid_credentials"} 1'));
  t.ok(lines.some((line) => /^doorcode_build_info\{version="\d+\.\d+\.\d+[^"]*"\} 1$/.test(line)));

  const login = service.post('/login', { username: 'demo', password: 'demo' }, new CookieJar());
  await until('the request in flight', () => waiting.length === 1);
  const stopped = service.stop('SIGTERM');
  let ready = await service.get('/readyz');
  while (ready.status === 200) ready = await service.get('/readyz');
  t.equal(ready.status, 503);
  t.match(await ready.json(), { status: 'not_ready', checks: { process: 'shutting down' } });
  t.equal(ready.headers.get('connection'), 'close');
  waiting[0]?.();
  const answer = await login;
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('connection'), 'close');
  t.equal(await stopped, 0);

  const exported = visits.map(({ method, path, body }) => `${method} ${path} ${body}`).join('\n');
  keep('trace', exported);
  t.match(exported, /^POST \/v1\/traces /);
  for (const words of ['"doorcode"', '"POST"', '"/login"']) t.match(exported, words);
});

/** NODE_OPTIONS with which the process receives SIGTERM at the moment when it listens. */
const SIGTERM_ON_LISTENING = `--import=data:text/javascript,${encodeURIComponent(`
  import { Server } from 'node:net';
  const { emit } = Server.prototype;
  Server.prototype.emit = function (event, ...values) {
    if (event === 'listening') process.kill(process.pid, 'SIGTERM');
    return emit.call(this, event, ...values);
  };`)}`;

t.test('SIGTERM during the start ends it like any other', async (t) => {
  const { code, stdout } = await run(t, [], { env: { PORT: '0', NODE_OPTIONS: SIGTERM_ON_LISTENING } });
  t.equal(code, 0);
  t.match(stdout, '"msg":"sys_shutdown"');
});

t.test('an error that is not caught ends it, and the log says where but quotes nothing', async (t) => {
  const service = await startService(t, { NODE_OPTIONS: CRASH_ON_SIGUSR2 });
  t.equal(await service.stop('SIGUSR2'), 1);
  const crash = service
    .output()
    .split('\n')
    .find((line) => line.includes('sys_crash'));
  t.match(JSON.parse(crash ?? '{}'), { level: 60, event: 'sys_crash', err: { type: 'Error', stack: /Immediate/ } });
  t.notMatch(crash ?? '', /482915|15550100100/);
});

t.test('faults of the configuration are reported together, with exit code 78', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const cwd = t.testdir({});
  const [settings, ...listening] = await Promise.all([
    run(t, [], { cwd, env: { NODE_ENV: 'production', PORT: 'x', OTP_TTL: '5' } }),
    run(t, ['serve'], { cwd, env: { PORT: `${port}` } }),
    // An address for documentation, which no machine has (RFC 5737).
    run(t, ['serve'], { cwd, env: { PORT: '0', HOST: '192.0.2.1' } }),
    run(t, ['serve'], { cwd, env: { PORT: '0', HOST: '2001:db8::1%none' } }),
  ]);
  t.equal(settings.code, 78);
  for (const name of ['PORT', 'OTP_TTL', 'SESSION_KEYS', 'ORIGIN', 'USERS_FILE', 'DELIVERY']) {
    t.match(settings.stderr, name);
  }
  t.match(listening, [
    { code: 78, stderr: /^ {2}PORT: \d+ is taken \(EADDRINUSE\)$/m },
    { code: 78, stderr: /^ {2}HOST: 192\.0\.2\.1 is no address of this machine \(EADDRNOTAVAIL\)$/m },
    { code: 78, stderr: /^ {2}HOST: /m },
  ]);
});

t.test('the other commands print what they make and end; those without settings do not read .env', async (t) => {
  const folder = t.testdir({ broken: { '.env': 'NODE_ENV\n' }, empty: {} });
  const cwd = join(folder, 'broken');
  const table: [args: string[], expected: object][] = [
    [['--help'], { code: 0, stdout: 'Usage: doorcode', stderr: '' }],
    [['--version'], { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' }],
    [['key'], { code: 0, stdout: /^[A-Za-z0-9+/]{43}=\n$/, stderr: '' }],
    [['attack', '--help'], { code: 0, stderr: '' }],
    [['nonsense'], { code: 64, stderr: 'nonsense' }],
    ...[['serve'], ['unlock', 'alice'], ['subject', 'alice'], ['user', 'add', 'alice', '+15550100101']].map(
      (args) => [args, { code: 78, stdout: '', stderr: '.env:1' }] as [string[], object],
    ),
  ];
  const finished = await Promise.all(table.map(([args]) => run(t, args, { cwd })));
  for (const [index, [args, expected]] of table.entries()) t.match(finished[index], expected, args.join(' '));
  const input = 'a long password\n';
  const added = await run(t, ['user', 'add', 'alice', '+15550100101'], { cwd: join(folder, 'empty'), input });
  t.match(added, { code: 0, stdout: 'Added alice to users.json.\n' });
});

t.test('settings come from a file .env, and variables of the environment that are not empty precede it', async (t) => {
  const cwd = t.testdir({ '.env': 'NODE_ENV=production\nOTP_TTL=5\nSESSION_KEYS=\nPORT=nonsense\n' });
  const { code, stderr } = await run(t, [], { cwd, env: { PORT: '0', NODE_ENV: ' \t', OTP_TTL: '' } });
  t.equal(code, 78);
  for (const name of ['SESSION_KEYS', 'OTP_TTL']) t.match(stderr, name);
  t.notMatch(stderr, 'PORT');
});

t.test('a .env that cannot be read completely ends the start', async (t) => {
  const folder = t.testdir({
    line: { '.env': 'NODE_ENV=production\nOTP_TTL=60 # seconds\nMETRICS_PORT\n' },
    folder: { '.env': {} },
    link: { '.env': t.fixture('symlink', 'missing') },
  });
  const table = {
    line: /\.env:2: OTP_TTL contains # after a blank.*\n.*\.env:3: must be NAME=value/,
    folder: '.env: cannot be read (EISDIR)',
    link: '.env: is a link to a file that does not exist',
  };
  const names = Object.keys(table) as (keyof typeof table)[];
  const finished = await Promise.all(names.map((name) => run(t, [], { cwd: join(folder, name), env: { PORT: '0' } })));
  for (const [index, name] of names.entries()) {
    t.match(finished[index], { code: 78, stdout: '', stderr: table[name] }, name);
  }
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
  const child = spawn(npm, ['start', '--ignore-scripts'], { cwd, env: childEnv(env) });
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
  await until('the SDK is loaded', async () => (await service.get('/readyz')).status === 200);
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

t.test('SignalWire: NODE_EXTRA_CA_CERTS is trusted, messages share a connection, the log has no number', async (t) => {
  const signalwire = await startSignalWire();
  t.teardown(() => signalwire.close());
  const service = await startService(t, {
    NODE_EXTRA_CA_CERTS: signalwire.caFile,
    SIGNALWIRE_SPACE: signalwire.host,
    SIGNALWIRE_PROJECT: 'project-of-the-tests',
    SIGNALWIRE_TOKEN: 'token-of-the-tests',
    SIGNALWIRE_NUMBER: '+15550100199',
    RESEND_COOLDOWN: '0',
    ORIGIN: 'http://login.example.com:3000',
  });
  const login = (jar = new CookieJar()) => service.post('/login', { username: 'demo', password: 'demo' }, jar);
  // The SDK loads in the background. Until then the service reports that it is not ready.
  await until('the SDK is loaded', async () => (await service.get('/readyz')).status === 200);

  for (let message = 0; message < 3; message += 1) {
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
  t.equal(signalwire.requests.length, 3);
  t.equal(signalwire.connections, 1);

  signalwire.behave('invalid_number');
  const jar = new CookieJar();
  const refused = await login(jar);
  t.equal(refused.status, 422);
  t.match(await refused.json(), { code: 'delivery_rejected' });
  t.equal(jar.header, '', 'no challenge cookie');
  await service.stop('SIGINT');
  const logged = service
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  t.ok(logged.length > 8);
  t.notMatch(logged.join('\n'), '5550100100', 'no number in the log');
  t.notMatch(service.output(), 'token-of-the-tests');
});
