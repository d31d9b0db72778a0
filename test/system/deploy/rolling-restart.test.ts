import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { program } from '../../support/programs.ts';

const SCRIPT = fileURLToPath(new URL('../../../bench/rolling-restart.mjs', import.meta.url));

/** Each replica once, for as long as that takes; by hand it runs for a minute, with fifty people at a time. */
const SHORT = ['--seconds', '0', '--in-flight', '4', '--restarts', '1', '--patient'];

const runs: Record<string, { needs: string[]; flags: string[] }> = {
  'HAProxy, counts in memory': { needs: ['haproxy'], flags: [] },
  'HAProxy, counts in Redis': { needs: ['haproxy', 'redis-server'], flags: ['--redis'] },
  'nginx, counts in memory': { needs: ['nginx'], flags: ['--gateway', 'nginx'] },
  'HAProxy, replicas killed, and people who try once more': { needs: ['haproxy'], flags: ['--signal', 'SIGKILL'] },
};

// Two at a time, because a replica spends most of a restart waiting.
t.jobs = 2;

for (const [name, { needs, flags }] of Object.entries(runs)) {
  t.test(`replicas come and go without a user noticing: ${name}`, { buffered: true }, async (t) => {
    for (const need of needs) if (program(t, need) === null) return;
    const child = spawn(process.execPath, [SCRIPT, ...SHORT, ...flags], {
      env: { PATH: `${process.env['PATH']}:/usr/sbin` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [exitCode] = await ended;
    t.equal(exitCode, 0, stdout + stderr);
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
    t.match(result, { failures: 0, restarts: 2 });
    if (result.signal === 'SIGTERM') t.match(result, { resets: 0, retried: 0 });
    // A replica counts as restarted when somebody has signed in there afterwards.
    t.ok(result.signIns >= 2, `${result.signIns} signed in`);
  });
}
