#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { stdin, stdout } from 'node:process';
import { type Running, runCommand } from './command-line.ts';
import { parseEnvFile } from './env-file.ts';
import { ConfigError } from './environment.ts';
import { createLineOutput } from './line-output.ts';
import { readPassword } from './password-prompt.ts';

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
const write = (line: string) => output.write(`${line}\n`);
// A message that cannot be written must not change the exit code.
process.stderr.on('error', () => {});
const complain = (line: string) => void process.stderr.write(`${line}\n`);

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
loadEnvFile();
const outcome = await runCommand(process.argv.slice(2), version, {
  write,
  complain,
  env: process.env,
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
  const stop = () => {
    process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
    running.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

/** In a terminal in development, log lines are for people. */
async function logDestination(): Promise<{ write(line: string): void }> {
  if (!stdout.isTTY || process.env['NODE_ENV'] === 'production') return output;
  const { prettyLines } = await import('./telemetry/pretty.ts');
  return prettyLines(output.write);
}

async function run(): Promise<void> {
  try {
    // Loaded only now: the other commands need none of it.
    const { serve } = await import('./serve.ts');
    const service = await serve({
      env: process.env,
      write,
      version,
      logDestination: await logDestination(),
      droppedLines: output.dropped,
    });
    output.onRecovery((dropped) => {
      service.logger.warn({ dropped }, 'log lines were dropped because standard output did not accept them');
    });
    // What nobody caught leaves the process in a state that nobody knows. Node would print the error as it is, and with
    // it whatever its message quotes.
    process.on('uncaughtException', (error) => {
      service.logger.fatal({ event: 'sys_crash', err: error }, 'sys_crash');
      process.exit(1);
    });
    const stop = (drainMs: number) => {
      process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
      service
        .close(drainMs, DEADLINE_MS)
        .then(
          () => 0,
          (error: unknown) => {
            service.logger.error({ err: error }, 'shutdown failed');
            return 1;
          },
        )
        .then(async (exitCode) => {
          await output.flush(FLUSH_MS);
          process.exit(exitCode);
        });
    };
    process.once('SIGTERM', () => stop(DRAIN_MS));
    // Ctrl+C in a terminal: nobody is balancing load.
    process.once('SIGINT', () => stop(0));
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }
}

/**
 * Adds the settings of `.env` in the current folder to the environment, which goes before the file. Without the file
 * nothing happens; a file that cannot be read completely ends the process, because a service with a part of its
 * settings could start as in development. `process.loadEnvFile` does neither.
 */
function loadEnvFile(): void {
  try {
    for (const [name, value] of parseEnvFile('.env', readFileSync('.env'))) process.env[name] ??= value;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    complain(error instanceof ConfigError ? message : `.env: cannot be read (${code})`);
    process.exit(EXIT_CONFIG);
  }
}
