import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { program } from '../support/programs.ts';
import { CRASH_ON_SIGUSR2, childEnv, MAIN } from '../support/service.ts';

/** NODE_OPTIONS with which the process writes the port on which it listens to file descriptor 3. */
const REPORT_PORT = `--import=data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  import { Server } from 'node:net';
  const { emit } = Server.prototype;
  Server.prototype.emit = function (event, ...values) {
    if (event === 'listening') writeSync(3, this.address().port + '\\n');
    return emit.call(this, event, ...values);
  };`)}`;

/**
 * How long an answer may take, and the end of a process after SIGTERM, milliseconds. The README states 10 s for the end,
 * but the machine may be busy.
 */
const LIMIT_MS = 60_000;

type Get = (path: string) => Promise<Response>;

/** A program whose standard output cannot be read. */
interface Unread {
  readonly child: ChildProcess;
  readonly get: Get;
  /** Sends SIGTERM to the service. @returns the exit code; null if it had to be killed */
  terminate(): Promise<number | null>;
}

/**
 * Starts the service where its standard output says nothing to the test.
 *
 * @param command the program and its arguments when it is not Node.js itself; it prints the process id of the service
 */
async function startUnread(
  t: Test,
  stdio: [stdin: 'ignore', stdout: number | 'pipe', stderr: 'ignore' | 'pipe'],
  { env = {}, command = [] }: { env?: Record<string, string>; command?: string[] } = {},
): Promise<Unread> {
  const [path = '', ...args] = [...command, process.execPath, MAIN];
  const options = { PORT: '0', ...env, NODE_OPTIONS: `${env['NODE_OPTIONS'] ?? ''} ${REPORT_PORT}` };
  const child = spawn(path, args, {
    env: childEnv(options),
    cwd: t.testdirName,
    stdio: [...stdio, 'pipe'] satisfies StdioOptions,
  });
  const ended = once(child, 'exit');
  let pid = child.pid ?? 0;
  if (command.length > 0 && child.stdout !== null) pid = Number((await once(child.stdout, 'data'))[0]);
  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(pid, signal);
  };
  t.teardown(async () => {
    kill('SIGKILL');
    await ended;
  });
  const reported = once(child.stdio[3] as unknown as Writable, 'data');
  const [port] = await Promise.race([reported, ended.then(() => Promise.reject(new Error('it ended at once')))]);
  return {
    child,
    get: (path) => fetch(`http://127.0.0.1:${Number(port)}${path}`, { signal: AbortSignal.timeout(LIMIT_MS) }),
    async terminate() {
      kill('SIGTERM');
      const timer = setTimeout(() => kill('SIGKILL'), LIMIT_MS);
      await ended;
      clearTimeout(timer);
      return child.exitCode;
    },
  };
}

/**
 * Sends requests until so many of them are in the log, one line of over 110 characters for each. While the machine is
 * busy, the service refuses some.
 */
async function writeLines(get: Get, count: number): Promise<void> {
  for (let lines = 0; lines < count; ) {
    const statuses = await Promise.all(Array.from({ length: 40 }, async () => (await get('/session')).status));
    lines += statuses.filter((status) => status === 401).length;
  }
}

/** So many lines are more than a pipe takes (65,536 bytes, pipe(7)). */
const FULL_PIPE = 640;
/** So many lines are more than a terminal takes: a few pages of 4,096 bytes. */
const FULL_TERMINAL = 320;

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

/** Runs a program on a new terminal that nothing reads, prints its process id and ends with its exit code. */
const ON_UNREAD_TERMINAL = `
import os, subprocess, sys
terminal, end = os.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=end, stdout=end, stderr=end, pass_fds=[3])
print(child.pid, flush=True)
sys.exit(child.wait())
`;

t.test('an output that cannot be written stops neither requests nor SIGTERM', async (t) => {
  const stalled = await stalledPipe(t);
  const python = program(t, 'python3');
  if (stalled === null || python === null) return;
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));

  const check = async (name: string, lines: number, { get, terminate }: Unread) => {
    await writeLines(get, lines);
    await writeLines(get, 10);
    t.equal(await terminate(), 0, name);
  };
  const closed = async () => {
    const service = await startUnread(t, ['ignore', 'pipe', 'ignore']);
    service.child.stdout?.destroy();
    return service;
  };
  const onTerminal = (mode: string) =>
    startUnread(t, ['ignore', 'pipe', 'pipe'], {
      command: [python, '-c', ON_UNREAD_TERMINAL],
      env: { NODE_ENV: mode },
    });
  const services: [name: string, lines: number, start: Promise<Unread>][] = [
    ['the disk is full', 0, startUnread(t, ['ignore', full, 'ignore'])],
    ['the reader has stalled', FULL_PIPE, startUnread(t, ['ignore', stalled, 'ignore'])],
    ['the reader is gone', 0, closed()],
    ['a terminal with lines for people is not read', FULL_TERMINAL, onTerminal('development')],
    ['a terminal with JSON is not read', FULL_TERMINAL, onTerminal('test')],
  ];
  await Promise.all(services.map(async ([name, lines, start]) => check(name, lines, await start)));
});

t.test('a crash is reported on standard error while the reader of the log has stalled', async (t) => {
  const stalled = await stalledPipe(t);
  if (stalled === null) return;
  const env = { NODE_OPTIONS: CRASH_ON_SIGUSR2 };
  const { child, get } = await startUnread(t, ['ignore', stalled, 'pipe'], { env });
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await writeLines(get, FULL_PIPE);
  child.kill('SIGUSR2');
  await closed;
  t.equal(child.exitCode, 1);
  t.match(JSON.parse(stderr), { level: 60, event: 'sys_crash', err: { type: 'Error', stack: /Immediate/ } });
  t.notMatch(stderr, /482915|15550100100/);
});

t.test('exit codes stay right where nothing can be written', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  const cwd = t.testdir({});
  const codeOf = async (args: string[], env: Record<string, string>) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: childEnv(env), cwd, stdio: ['ignore', full, full] });
    return (await once(child, 'exit'))[0];
  };
  const codes = [codeOf([], { PORT: 'x' }), codeOf(['nonsense'], {}), codeOf(['key'], {})];
  t.strictSame(await Promise.all(codes), [78, 64, 74], 'fault of the configuration, of the command line, a lost key');
});
