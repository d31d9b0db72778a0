// npm run bench: ratios within one run where there is something to compare with, else counts and times. What is measured, and what should come of
// it, is printed as a table, and kept in bench/RESULTS.md with --keep. Names of parts measure these only.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchDelivery } from './delivery.mjs';
import { benchFlows } from './flows.mjs';
import { benchHashing } from './hashing.mjs';
import { benchHttp } from './http.mjs';
import { canLoad } from './load.mjs';
import { benchMemory } from './memory.mjs';
import { benchReplicas, benchRoundTrips, hasRedis } from './replicas.mjs';
import { benchStartup } from './startup.mjs';

const folder = await mkdtemp(join(tmpdir(), 'doorcode-bench-'));
const loaded = canLoad() ? null : 'needs wrk and taskset, on two cores';
const withRedis = loaded ?? (hasRedis() ? null : 'needs redis-server');
const parts = {
  http: { run: () => benchHttp(folder), missing: loaded },
  flows: { run: () => benchFlows(), missing: loaded },
  memory: { run: () => benchMemory(), missing: null },
  hashing: { run: () => benchHashing(folder), missing: loaded },
  'round-trips': { run: () => benchRoundTrips(), missing: withRedis },
  startup: { run: () => benchStartup(folder), missing: null },
  replicas: { run: () => benchReplicas(folder), missing: withRedis },
  delivery: { run: () => benchDelivery(), missing: null },
};

const asked = process.argv.slice(2).filter((word) => word in parts);
const rows = [];
const startedAt = performance.now();
try {
  for (const [name, { run, missing }] of Object.entries(parts)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const partAt = performance.now();
    if (missing === null) {
      rows.push(...(await run()));
      console.log(`${name}: ${Math.round((performance.now() - partAt) / 1000)} s`);
    } else console.log(`${name}: ${missing}, not measured`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

const width = Math.max(...rows.map(({ name }) => name.length));
for (const { name, figure, target, met } of rows) {
  console.log(`${met ? '  ' : '! '}${name.padEnd(width)}  ${figure}  (target ${target})`);
}
console.log(`in ${Math.round((performance.now() - startedAt) / 1000)} s; ! is a target that was missed`);

if (process.argv.includes('--keep')) {
  const of = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }).trim();
  const lines = [
    '# What `npm run bench` measured',
    '',
    `${new Date().toISOString().slice(0, 10)}, commit ${of('git', 'rev-parse', '--short', 'HEAD')}, Node.js ${process.version}, ` +
      `${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}.`,
    '',
    '| figure | measured | target | |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ name, figure, target, met }) => `| ${name} | ${figure} | ${target} | ${met ? 'met' : '**missed**'} |`,
    ),
    '',
    'Ratios are medians of rounds in turn within one run, with the least and the greatest behind them.',
    '',
  ];
  await writeFile(new URL('./RESULTS.md', import.meta.url), lines.join('\n'));
}
process.exit(0);
