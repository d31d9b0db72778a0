import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Events } from '../../src/events.ts';

/** Where what was seen is kept for the end of the run (`scripts/kept-secrets.mjs`); nothing is kept without. */
const FOLDER = process.env['DOORCODE_KEEP'];

type Kind = 'log' | 'error body' | 'metrics' | 'trace' | 'output';

const seen: { kind: Kind; text: string }[] = [];
const secrets = new Set<string>();

/** Keeps something that people who run the service may see, and so must hold no secret. */
export function keep(kind: Kind, text: string): void {
  if (FOLDER !== undefined && text !== '') seen.push({ kind, text });
}

/** Notes a code, a password, a key, a token or a whole number that this test uses. */
export function noteSecret(...texts: readonly (string | undefined)[]): void {
  // What is shorter turns up anywhere.
  for (const text of texts) if (text !== undefined && text.length >= 6) secrets.add(text);
}

/** A number as people and programs write it. */
export function noteNumber(e164Number: string): void {
  const digits = e164Number.slice(1);
  noteSecret(e164Number, digits, ...(digits.startsWith('1') ? [digits.slice(1)] : []));
}

/** The settings that are secrets, by their names. */
export function noteSettings(env: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (/(?:_TOKEN|_SECRET|_KEY|^SESSION_KEYS)$/.test(name)) noteSecret(...value.split(/[\s,]+/));
  }
}

let counting: Promise<{ events: Events; page: () => Promise<string> }> | undefined;

/** Counts what happens in all the services of this process as a service would. */
export const countKept: Events = (event) => {
  if (FOLDER === undefined) return;
  counting ??= import('../../src/telemetry/metrics.ts').then(({ createMetrics }) => createMetrics());
  void counting.then(({ events }) => events(event));
};

/** What a service in a process of its own has written; the console sender's lines are its job. */
export function keepOutput(output: string): void {
  const lines = output.split('\n');
  for (const line of lines) {
    const [, code, number] = /^code (\d+) for (\+\d+) by/.exec(line) ?? [];
    noteSecret(code);
    if (number !== undefined) noteNumber(number);
  }
  // The start tells a person who tries it out whom to sign in as.
  keep('output', lines.filter((line) => !/^code \d+ for |^the one user is demo /.test(line)).join('\n'));
}

let flushes = 0;

/**
 * Writes what was kept since the last call, together with the secrets that were used since then. Called after each test
 * file, so that a number in a log is compared only with the codes of the same file.
 */
export async function flushKept(): Promise<void> {
  const page = await counting?.then(({ page }) => page());
  counting = undefined;
  if (page !== undefined) keep('metrics', page);
  write();
}

function write(): void {
  if (FOLDER !== undefined && seen.length > 0) {
    flushes += 1;
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, `${process.pid}-${flushes}.json`), JSON.stringify({ secrets: [...secrets], seen }));
  }
  seen.length = 0;
  secrets.clear();
}

// A test file that runs in a process of its own.
process.on('beforeExit', () => {
  if (counting !== undefined) void flushKept();
});
process.on('exit', write);
