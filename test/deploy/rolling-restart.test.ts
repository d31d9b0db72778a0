import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { program } from '../support/programs.ts';

const SCRIPT = fileURLToPath(new URL('../../bench/rolling-restart.mjs', import.meta.url));

/** Each replica once, for as short a time as that takes; by hand it runs for a minute, with fifty people at a time. */
const SHORT = ['--seconds', '6', '--in-flight', '10', '--restarts', '1'];

const runs: Record<string, { needs: string[]; flags: string[] }> = {
  'HAProxy, counts in memory': { needs: ['haproxy'], flags: [] },
  'HAProxy, counts in Redis': { needs: ['haproxy', 'redis-server'], flags: ['--redis'] },
  'nginx, counts in memory': { needs: ['nginx'], flags: ['--gateway', 'nginx'] },
  'HAProxy, replicas killed, and people who try once more': { needs: ['haproxy'], flags: ['--signal', 'SIGKILL'] },
};

for (const [name, { needs, flags }] of Object.entries(runs)) {
  t.test(`replicas come and go without a user noticing: ${name}`, async (t) => {
    for (const need of needs) if (program(t, need) === null) return;
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...SHORT, ...flags], {
      encoding: 'utf8',
      env: { PATH: `${process.env['PATH']}:/usr/sbin` },
    });
    t.equal(status, 0, stdout + stderr);
    const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
    t.match(told, { failures: 0, restarts: 2 });
    if (told.signal === 'SIGTERM') t.match(told, { resets: 0, retried: 0 });
    t.ok(told.signIns > 20, `${told.signIns} signed in`);
  });
}
