// Runs the tests: node scripts/test.mjs [tap's options and test files]
//
// Says what failed and what was skipped, then "N passed, N failed" as the last line: assertions, as tap counts them.
// The coverage bar is held when everything runs, that is without arguments. With CI=true nothing may be skipped.
// What the tests saw of logs, errors, metrics and traces is kept, and searched for every secret that they used.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { coverageFaults } from './coverage-bar.mjs';
import { searchKept } from './kept-secrets.mjs';
import { createTapFilter } from './tap-filter.mjs';

const STRIP_TYPES = new URL('./strip-types.mjs', import.meta.url).href;

/** What has a whole deployment sign in without a pause: beside other tests, on a small machine, that is an overload. */
const ALONE = ['test/deploy/rolling-restart.test.ts'];

const args = process.argv.slice(2);
const everything = args.length === 0;
const someFiles = args.some((arg) => !arg.startsWith('-'));

const kept = mkdtempSync(join(tmpdir(), 'doorcode-kept-'));
const isWorthShowing = createTapFilter();
const counts = { pass: 0, fail: 0, skip: 0, todo: 0 };
const faults = [];

if (everything) {
  const files = testsIn('test').filter((file) => !ALONE.includes(file));
  await run(['--coverage-report=json-summary', ...files]);
  faults.push(...coverageFaults());
  await run(['--disable-coverage', '--jobs=1', ...ALONE]);
} else {
  await run(someFiles ? ['--disable-coverage', ...args] : args);
}

const { summary: searched, faults: found } = searchKept(kept);
rmSync(kept, { recursive: true });
if (everything) console.log(searched);

faults.push(...found);
if (counts.pass + counts.fail === 0) faults.push('no test ran');
const skipped = counts.skip + counts.todo;
if (process.env.CI === 'true' && skipped > 0) faults.push(`${skipped} skipped or left to do`);

for (const fault of faults) console.log(`FAILED: ${fault}`);
// A run that failed without a failed assertion counts as one.
console.log(`${counts.pass} passed, ${faults.length > 0 ? Math.max(counts.fail, 1) : counts.fail} failed`);
process.exitCode = faults.length > 0 || counts.fail > 0 ? 1 : 0;

/**
 * Runs tap, shows what is worth it, and adds up what it counted.
 *
 * @param {readonly string[]} options
 */
async function run(options) {
  const tap = spawn(
    process.execPath,
    [
      'node_modules/tap/dist/esm/run.mjs',
      '--reporter=tap',
      ...(process.features.typescript ? [] : [`--test-env=NODE_OPTIONS=--import=${STRIP_TYPES}`]),
      ...options,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TAP_TYPE_STRIP_ONLY: '1', DOORCODE_KEEP: kept } },
  );
  const ended = once(tap, 'close');
  let summary = '';
  for await (const line of createInterface({ input: tap.stdout })) {
    if (line.startsWith('# { total: ')) summary = line;
    if (isWorthShowing(line)) console.log(line);
  }
  const [exitCode, signal] = await ended;
  if (exitCode !== 0) faults.push(`the test runner ended with ${signal ?? `exit code ${exitCode}`}`);
  for (const name of Object.keys(counts)) counts[name] += counted(summary, name);
}

/** @param {string} folder */
function testsIn(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.test.ts')).map((name) => `${folder}/${name}`);
}

/**
 * From the runner's own summary, `# { total: 13, pass: 6, fail: 4, todo: 1, skip: 2 }`.
 *
 * @param {string} summary
 * @param {string} name
 */
function counted(summary, name) {
  return Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0);
}
