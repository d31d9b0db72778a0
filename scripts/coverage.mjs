// node scripts/coverage.mjs: the coverage of all test runs since .tap/coverage-runs was deleted (COVERAGE=on). The exit code is 1 when
// it is below the bar.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { coverageFaults, MEASURES } from './coverage-bar.mjs';

rmSync('.tap/coverage', { recursive: true, force: true });
cpSync('.tap/coverage-runs', '.tap/coverage', { recursive: true });
spawnSync(process.execPath, ['node_modules/tap/dist/esm/run.mjs', 'report', 'json-summary'], { stdio: 'inherit' });
const faults = coverageFaults();
for (const fault of faults) console.log(`FAILED: ${fault}`);
console.log(`${MEASURES - faults.length} passed, ${faults.length} failed`);
process.exitCode = faults.length > 0 ? 1 : 0;
