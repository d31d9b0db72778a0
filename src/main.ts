#!/usr/bin/env node
import { lstatSync, readFileSync } from 'node:fs';
import { stderr, stdin, stdout } from 'node:process';
import { WriteStream } from 'node:tty';
import { type Running, runCommand } from './command-line.ts';
import { parseEnvFile } from './env-file.ts';
import { ConfigError } from './environment.ts';
import { createLineOutput } from './line-output.ts';
import { readPassword } from './password-prompt.ts';
import type { Service } from './serve.ts';

/** How long new connections are taken after SIGTERM, so that a gateway sees readiness turn 503 first. */
const DRAIN_MS = 2000;
/**
 * When the connections and deliveries that are still open are cut off. With the time that the end of metrics, traces and
 * the log may take after it, the process ends within 10 s of the signal.
 */
const DEADLINE_MS = 8000;
/** How long the end waits for a slow reader of standard output. */
const FLUSH_MS = 500;
/** EX_CONFIG of sysexits. */
const EXIT_CONFIG = 78;
/** EX_IOERR of sysexits. */
const EXIT_OUTPUT = 74;

const output = createLineOutput(stdout);
/** Whether an uncaught exception is ending the process. */
let isCrashing = false;
const write = (line: string) => output.write(`${line}\n`);
// A message that cannot be written must not change the exit code.
stderr.on('error', () => {});
const complain = (line: string) => void stderr.write(`${line}\n`);

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const outcome = await runCommand(process.argv.slice(2), version, {
  write,
  complain,
  // Only commands that use settings need a .env that can be read.
  get env() {
    return loadEnvironment();
  },
  readPassword: (once) => readPassword(stdin, stdout, once),
});
if ('serve' in outcome) await run();
else if ('running' in outcome) stopOnSignal(outcome.running);
else endCommand(outcome.exitCode);

/** A command whose output was lost has failed, for example `doorcode key > file` on a full disk. */
function endCommand(exitCode: number): void {
  process.exitCode = exitCode;
  process.once('exit', () => {
    if (output.dropped() === 0) return;
    complain('standard output cannot be written');
    process.exitCode ||= EXIT_OUTPUT;
  });
}

function stopOnSignal(running: Running): void {
  unblockTerminals();
  const stop = () => {
    process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
    running.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

/**
 * Makes terminals asynchronous. Node.js writes to them synchronously, so that a terminal whose output is paused (Ctrl+S) or
 * not read would stop the event loop, and with it all requests and the handlers of signals.
 */
function unblockTerminals(): void {
  for (const stream of [stdout, stderr]) {
    // Node.js has no public interface for this (lib/tty.js calls setBlocking(true) in the constructor).
    if (stream instanceof WriteStream) (stream as Partial<BlockingStream>)._handle?.setBlocking?.(false);
  }
}

interface BlockingStream {
  readonly _handle?: { setBlocking?(isBlocking: boolean): void };
}

/** In a terminal in development, log lines are for people. */
async function logDestination(): Promise<{ write(line: string): void }> {
  const destination = { write: writeLog };
  if (!stdout.isTTY || process.env['NODE_ENV'] === 'production') return destination;
  const { prettyLines } = await import('./telemetry/pretty.ts');
  return prettyLines(writeLog);
}

/** After a crash, what standard output does not accept at once goes to standard error too, before the process ends. */
function writeLog(line: string): void {
  output.write(line);
  if (isCrashing && output.isDelayed()) stderr.write(line);
}

async function run(): Promise<void> {
  try {
    const env = loadEnvironment();
    // Loaded only now: the other commands need none of it.
    const { serve } = await import('./serve.ts');
    const starting = serve({
      env,
      write,
      version,
      logDestination: await logDestination(),
      droppedLines: output.dropped,
    });
    // Before the service listens, because a signal may arrive as soon as it does.
    stopServiceOnSignal(starting);
    const service = await starting;
    output.onRecovery((dropped) => {
      service.logger.warn({ dropped }, 'log lines were dropped because standard output did not accept them');
    });
    // What nobody caught leaves the process in a state that nobody knows. Node would print the error as it is, and with
    // it whatever its message quotes.
    process.on('uncaughtException', (error) => {
      if (isCrashing) return;
      isCrashing = true;
      service.logger.fatal({ event: 'sys_crash', err: error }, 'sys_crash');
      output.flush(FLUSH_MS).then(() => process.exit(1));
    });
    unblockTerminals();
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }
}

/** Closes the service when a signal asks for it, after its start has ended. A second signal ends the process at once. */
function stopServiceOnSignal(starting: Promise<Service>): void {
  const stop = async (drainMs: number) => {
    process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
    // The caller of serve() reports why a start has failed.
    const service = await starting.catch(() => null);
    if (service === null) return;
    let exitCode = 0;
    try {
      await service.close(drainMs, DEADLINE_MS);
    } catch (error) {
      service.logger.error({ err: error }, 'shutdown failed');
      exitCode = 1;
    }
    await output.flush(FLUSH_MS);
    process.exit(exitCode);
  };
  process.once('SIGTERM', () => stop(DRAIN_MS));
  // Ctrl+C in a terminal: nobody is balancing load.
  process.once('SIGINT', () => stop(0));
}

/**
 * Adds the settings of `.env` in the current folder to the environment. A variable of the environment that is not empty
 * takes precedence over the file. Without the file nothing happens; a file that cannot be read completely ends the
 * process, because a service with a part of its settings could start as in development. `process.loadEnvFile` does neither.
 */
function loadEnvironment(): NodeJS.ProcessEnv {
  try {
    for (const [name, value] of parseEnvFile('.env', readFileSync('.env'))) {
      if (!process.env[name]?.trim()) process.env[name] = value;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !isLink('.env')) return process.env;
    const fault = code === 'ENOENT' ? 'is a link to a file that does not exist' : `cannot be read (${code})`;
    complain(error instanceof ConfigError ? message : `.env: ${fault}`);
    process.exit(EXIT_CONFIG);
  }
  return process.env;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
