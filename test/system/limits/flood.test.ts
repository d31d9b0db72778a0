import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const FLOOD = fileURLToPath(new URL('../../support/flood.mjs', import.meta.url));

t.setTimeout(600_000);

// test/limits/flood.test.ts holds what happens to counts in such a flood, with small tables.
t.test(
  'logins with made-up names and addresses fill the tables of the built program, and no more memory',
  async (t) => {
    const args = ['--expose-gc', '--stack-trace-limit=0', FLOOD];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: {} });
    t.comment(stdout.trim());
    const { answers, sizes, bytesToFill, bytesBeyond } = JSON.parse(stdout);
    t.strictSame(sizes, [50_000, 50_000, 50_000]);
    t.ok(bytesToFill < 75e6, `${bytesToFill} bytes for full tables`);
    t.ok(bytesBeyond < 2e6, `${bytesBeyond} bytes for as many logins more`);
    t.equal(answers.in, undefined);
    t.ok(answers.invalid_credentials > 100_000, 'nearly all are counted as wrong, also beside full tables');
  },
);
