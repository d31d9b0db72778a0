import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Numbers that the clock puts into a line: the digits of a code may turn up in them by chance. */
const TIMES = ['time', 'ms', 'ageMs', 'directoryMs', 'acceptedMs', 'drainMs', 'delayMs', 'deadlineMs'];

/**
 * Searches all that the tests have kept, log lines, bodies of errors, metrics, traces, the output of services, for every
 * code, password, key, token and whole number that was used in the same process.
 *
 * @param {string} folder what `test/support/kept.ts` has written
 * @returns {{ summary: string, faults: string[] }}
 */
export function searchKept(folder) {
  const faults = new Set();
  const counts = {};
  let secrets = 0;
  const files = existsSync(folder) ? readdirSync(folder) : [];
  for (const file of files) {
    const kept = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    secrets += kept.secrets.length;
    const codes = new Set(kept.secrets.filter((secret) => /^\d{6,10}$/.test(secret)));
    const texts = kept.secrets.filter((secret) => !codes.has(secret));
    for (const { kind, text } of kept.seen) {
      counts[kind] = (counts[kind] ?? 0) + 1;
      const searched = withoutTimes(kind, text);
      // A code is a whole run of digits: part of a longer one is something else.
      const runs = searched.match(/(?<![\d.])\d{6,10}(?!\d)/g) ?? [];
      const found = runs.some((run) => codes.has(run)) || texts.some((secret) => searched.includes(secret));
      if (found) faults.add(`a secret stands in: ${kind}: ${text.slice(0, 300)}`);
    }
  }
  const told = Object.entries(counts).map(([kind, count]) => `${count} × ${kind}`);
  return {
    summary: `Secrets: ${secrets} searched for in what ${files.length} test files kept (${told.join(', ')})`,
    faults: [...faults],
  };
}

/** @param {string} kind @param {string} text */
function withoutTimes(kind, text) {
  // A sample's labels may hold anything; its value is a number.
  if (kind === 'metrics') return text.replaceAll(/ \S+$/gm, '');
  if (kind === 'trace') return text.replaceAll(/"(?:start|end)TimeUnixNano":"\d+"/g, '');
  if (kind === 'error body') return text;
  return text
    .split('\n')
    .map((line) => line.replaceAll(new RegExp(`"(?:${TIMES.join('|')})":[\\d.]+`, 'g'), ''))
    .join('\n');
}
