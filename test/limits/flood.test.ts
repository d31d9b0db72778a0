import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const FLOOD = fileURLToPath(new URL('../support/flood.mjs', import.meta.url));

/** Enough to fill every table; FLOOD_LOGINS=2000000 goes on for longer. */
const LOGINS = Number(process.env['FLOOD_LOGINS'] ?? 1_200_000);

t.setTimeout(1_200_000);

t.test(
  `${LOGINS} logins with made-up names and addresses: bounded memory, and no count of a victim is lost`,
  async (t) => {
    const args = ['--expose-gc', '--stack-trace-limit=0', FLOOD, `${LOGINS}`];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: {} });
    const seen = JSON.parse(stdout);
    t.comment(stdout.trim());
    t.ok(seen.heapGrowthBytes < 100e6, 'less than 100 MB more in use');
    t.strictSame(Object.keys(seen.answers), ['invalid_credentials', 'too_many_requests'], 'full, it counts on');
    t.ok(seen.strangersIn >= 80, 'who comes for the first time in the midst of it gets in, nearly always');
    t.equal(seen.guessesLeft, 0, 'four wrong codes are still four: one guess was left');
    t.equal(seen.nextGuess, 'otp_attempts_exhausted');
    t.equal(seen.fifthPassword, 'invalid_credentials', 'four wrong passwords are still four');
    t.equal(seen.sixthPassword, 'too_many_requests');
  },
);
