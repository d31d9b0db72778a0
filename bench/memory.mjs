// How much memory a million open logins take.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CHALLENGES = 1_000_000;
const SCRIPT = fileURLToPath(new URL('./memory-process.mjs', import.meta.url));

export async function benchMemory() {
  const args = ['--expose-gc', SCRIPT, String(CHALLENGES)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { before, after } = JSON.parse(stdout);
  const grown = (kind) => after[kind] - before[kind];
  return [
    {
      name: 'memory after 1,000,000 challenges that nobody used, over before',
      figure: `${grown('heap').toFixed(1)} MB (resident set ${grown('rss').toFixed(0)} MB): what was sent to 50,000 numbers that day`,
      target: '< 20 MB',
      met: grown('heap') < 20,
    },
  ];
}
