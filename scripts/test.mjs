// Runs the tests: node scripts/test.mjs [tap's options and test files]
//
// Says what failed and what was skipped, then "N passed, N failed" as the last line: assertions, as tap counts them.
// The coverage bar is held when everything runs, that is without arguments. With CI=true nothing may be skipped.
// What the tests saw of logs, errors, metrics and traces is kept, and searched for every secret that they used.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { coverageFaults } from './coverage-bar.mjs';
import { searchKept } from './kept-secrets.mjs';
import { createTapFilter } from './tap-filter.mjs';

const STRIP_TYPES = new URL('./strip-types.mjs', import.meta.url).href;

const args = process.argv.slice(2);
const everything = args.length === 0;
const someFiles = args.some((arg) => !arg.startsWith('-'));

const kept = mkdtempSync(join(tmpdir(), 'doorcode-kept-'));
const tap = spawn(
  process.execPath,
  [
    'node_modules/tap/dist/esm/run.mjs',
    '--reporter=tap',
    ...(process.features.typescript ? [] : [`--test-env=NODE_OPTIONS=--import=${STRIP_TYPES}`]),
    ...(everything ? ['--coverage-report=json-summary'] : []),
    ...(someFiles ? ['--disable-coverage'] : []),
    ...args,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TAP_TYPE_STRIP_ONLY: '1', DOORCODE_KEEP: kept } },
);
const ended = once(tap, 'close');
const isWorthShowing = createTapFilter();
let summary = '';
for await (const line of createInterface({ input: tap.stdout })) {
  if (line.startsWith('# { total: ')) summary = line;
  if (isWorthShowing(line)) console.log(line);
}
const [exitCode, signal] = await ended;

const passed = counted('pass');
const failed = counted('fail');
const skipped = counted('skip') + counted('todo');

const { summary: searched, faults: found } = searchKept(kept);
rmSync(kept, { recursive: true });
if (everything) console.log(searched);

const faults = [...found];
if (exitCode !== 0) faults.push(`the test runner ended with ${signal ?? `exit code ${exitCode}`}`);
if (passed + failed === 0) faults.push('no test ran');
if (process.env.CI === 'true' && skipped > 0) faults.push(`${skipped} skipped or left to do`);
if (everything) faults.push(...coverageFaults());

for (const fault of faults) console.log(`FAILED: ${fault}`);
// A run that failed without a failed assertion counts as one.
console.log(`${passed} passed, ${faults.length > 0 ? Math.max(failed, 1) : failed} failed`);
process.exitCode = faults.length > 0 || failed > 0 ? 1 : 0;

/**
 * From the runner's own summary, `# { total: 13, pass: 6, fail: 4, todo: 1, skip: 2 }`.
 *
 * @param {string} name
 */
function counted(name) {
  return Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0);
}
