// Runs the tests: node scripts/test.mjs [--system | --smoke] [--watch] [NAME...]
//
//   (nothing)  lint, types, and the fast tests: all of test/ but test/system/
//   --system   the system tests, test/system/, which start other programs; they need dist/
//   --smoke    a few system tests, enough to see that the built program works on another version of Node.js
//   NAME       only the test files whose path contains one of these names, without lint and types
//   --watch    with the fast tests: runs again each time a file in src/ or test/ changes
//
// Environment: with CI=true a skipped test is a failure. With COVERAGE=on the coverage of this run is added to
// .tap/coverage-runs/, from which scripts/coverage.mjs makes a report.
//
// Prints what failed and what was skipped, the time of each test file, and "N passed, N failed" as the last line:
// assertions, as tap counts them. Everything that the tests saw of logs, errors, metrics and traces is searched for the
// secrets that they used.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { searchKept } from './kept-secrets.mjs';
import { createTapFilter } from './tap-filter.mjs';

const STRIP_TYPES = new URL('./strip-types.mjs', import.meta.url).href;
const GROUPS = '.tap/groups';
const SMOKE = ['test/system/main.test.ts', 'test/system/cost.test.ts'];

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { system: { type: 'boolean' }, smoke: { type: 'boolean' }, watch: { type: 'boolean' } },
});
if (flags.watch && (flags.system || flags.smoke)) {
  console.error('--watch runs the fast tests only: system tests need a new build after each change');
  process.exit(64);
}
/** The process groups of what was started, which end with this process. */
const running = new Set();
/** With --watch: the run in progress, which ends its own process groups. */
let run;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    run?.kill('SIGTERM');
    for (const child of running) endGroup(child);
    process.kill(process.pid, signal);
  });
}

if (flags.watch) await runOnChanges();
else process.exitCode = (await runAll()) ? 0 : 1;

/** @returns {Promise<boolean>} whether everything passed */
async function runAll() {
  const system = flags.system === true || flags.smoke === true;
  if (!system && names.length === 0) {
    for (const script of ['lint', 'types']) {
      if ((await ended(start('npm', ['run', '--silent', script]))) !== 0) return finish({ pass: 0, fail: 1 }, []);
    }
  }
  const wanted = flags.smoke ? SMOKE : names;
  const files = testFiles(system).filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(name)));
  if (files.length === 0) {
    const others = testFiles(!system).filter((file) => wanted.some((name) => file.includes(name)));
    if (others.length > 0) console.log(`${system ? 'npm test' : 'npm run test:system'} runs ${others.join(', ')}`);
  }
  const kept = mkdtempSync(join(tmpdir(), 'doorcode-kept-'));
  const counts = { pass: 0, fail: 0, skip: 0, todo: 0 };
  const faults = [];
  if (files.length > 0) {
    // A system test has the machine for itself: it starts several programs, which then share the cores.
    const options = system
      ? ['--jobs=1', ...systemProcesses(files)]
      : [`--jobs=${availableParallelism()}`, ...groups(files, 2 * availableParallelism())];
    faults.push(...(await runTap(options, kept, counts)));
  }
  const { summary: searched, faults: found } = searchKept(kept);
  rmSync(kept, { recursive: true });
  if (names.length === 0) console.log(searched);

  faults.push(...found);
  if (counts.pass + counts.fail === 0) faults.push('no test ran');
  const skipped = counts.skip + counts.todo;
  if (process.env.CI === 'true' && skipped > 0) faults.push(`${skipped} tests were skipped`);
  return finish(counts, faults);
}

/** @param {{ pass: number, fail: number }} counts @param {readonly string[]} faults */
function finish({ pass, fail }, faults) {
  for (const fault of faults) console.log(`FAILED: ${fault}`);
  // A run that failed without a failed assertion counts as one.
  console.log(`${pass} passed, ${faults.length > 0 ? Math.max(fail, 1) : fail} failed`);
  return faults.length === 0 && fail === 0;
}

/**
 * Runs tap, prints what is worth reading, and adds up what it counted.
 *
 * @param {readonly string[]} options
 * @param {string} kept a folder for what the tests saw
 * @param {Record<string, number>} counts
 * @returns {Promise<string[]>} faults other than failed assertions
 */
async function runTap(options, kept, counts) {
  const withCoverage = process.env.COVERAGE === 'on';
  const tap = start(
    process.execPath,
    [
      'node_modules/tap/dist/esm/run.mjs',
      '--reporter=tap',
      withCoverage ? '--coverage-report=none' : '--disable-coverage',
      ...(process.features.typescript ? [] : [`--test-env=NODE_OPTIONS=--import=${STRIP_TYPES}`]),
      ...options,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TAP_TYPE_STRIP_ONLY: '1', DOORCODE_KEEP: kept } },
  );
  const isWorthShowing = createTapFilter();
  const end = ended(tap);
  let summary = '';
  for await (const line of createInterface({ input: tap.stdout })) {
    if (line.startsWith('# { total: ')) summary = line;
    if (isWorthShowing(line)) console.log(line.replace(/^ +# /, '# '));
  }
  const exitCode = await end;
  for (const name of Object.keys(counts)) counts[name] += counted(summary, name);
  if (withCoverage) keepCoverage();
  return exitCode === 0 ? [] : [`the test runner ended with ${exitCode}`];
}

/** The next run of tap deletes the coverage of this one. */
function keepCoverage() {
  const folder = '.tap/coverage-runs';
  mkdirSync(folder, { recursive: true });
  cpSync('.tap/coverage', folder, { recursive: true });
}

/** @returns {string[]} the files of a tier, sorted */
function testFiles(system) {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`)
    .filter((file) => file.startsWith('test/system/') === system)
    .toSorted();
}

/** Those in a browser share one; each other file has a process of its own. */
function systemProcesses(files) {
  const inBrowser = files.filter((file) => file.startsWith('test/system/pages/'));
  return [...groups(inBrowser, 1), ...files.filter((file) => !inBrowser.includes(file))];
}

/**
 * Writes files that run several test files each, in one process: most of the time of a small test file is its start.
 *
 * @param {readonly string[]} files
 * @param {number} most how many processes; two for each core, so that no core is idle for long at the end
 * @returns {string[]} their paths
 */
function groups(files, most) {
  rmSync(GROUPS, { recursive: true, force: true });
  mkdirSync(GROUPS, { recursive: true });
  const runner = new URL('../test/support/run-test-files.ts', import.meta.url).href;
  const count = Math.min(files.length, most);
  return Array.from({ length: count }, (_, number) => {
    const members = files.filter((_, index) => index % count === number);
    const path = `${GROUPS}/${number + 1}.test.mjs`;
    writeFileSync(
      path,
      `import { runTestFiles } from '${runner}';\n\nrunTestFiles(${JSON.stringify(members, null, 2)});\n`,
    );
    return path;
  });
}

async function runOnChanges() {
  for (;;) {
    const changed = nextChange(['src', 'test']);
    run = spawn(process.execPath, [process.argv[1], ...names], { stdio: 'inherit' });
    const code = await ended(run);
    console.log(code === 0 ? 'Waiting for a change.' : 'There were failures. Waiting for a change.');
    await changed;
  }
}

/** @param {readonly string[]} folders */
function nextChange(folders) {
  return new Promise((resolve) => {
    const changed = () => {
      for (const watcher of watchers) watcher.close();
      // An editor may write several files.
      setTimeout(resolve, 100);
    };
    const watchers = folders.map((folder) => watch(folder, { recursive: true }, changed));
  });
}

/** Starts a program in a process group of its own, so that all that it starts can be ended with it. */
function start(program, args, options = { stdio: 'inherit' }) {
  const child = spawn(program, args, { ...options, detached: true });
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    endGroup(child);
  });
  return child;
}

/** @returns {Promise<number | string>} the exit code or the signal */
async function ended(child) {
  const [exitCode, signal] = await once(child, 'close');
  return signal ?? exitCode;
}

function endGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // No process of the group is left.
    if (error.code !== 'ESRCH') throw error;
  }
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
