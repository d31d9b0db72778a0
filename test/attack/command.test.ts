import t, { type Test } from 'tap';
import { type AttackArguments, attackCommand } from '../../src/attack/command.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';

const ARGS: AttackArguments = {
  url: 'http://127.0.0.1:3000',
  inbox: '127.0.0.1:8026',
  minutes: '15',
  users: [],
  passwords: [],
  owned: false,
};
const SECRET = 'a secret of the tests alone';

/** The command with its run played by the test. */
async function start(t: Test) {
  const runs: Record<string, unknown>[] = [];
  const { attackCommand: command } = await t.mockImport<typeof import('../../src/attack/command.ts')>(
    '../../src/attack/command.ts',
    {
      '../../src/attack/run.ts': {
        attack: async (options: Record<string, unknown>) => {
          runs.push(options);
          return { findings: [], exitCode: 7 };
        },
      },
    },
  );
  let asked = 0;
  const lines: string[] = [];
  const run = (args: Partial<AttackArguments>, env: Record<string, string> = {}) =>
    command(
      { ...ARGS, ...args },
      {
        env: { WEBHOOK_SECRET: SECRET, ...env },
        write: (line) => void lines.push(line),
        readPassword: async (once) => {
          asked += 1;
          t.equal(once, true);
          return 'from the prompt';
        },
      },
    );
  return { run, runs, lines, asked: () => asked };
}

t.test('it attacks as demo unless told otherwise, and ends with the exit code of the run', async (t) => {
  const { run, runs, lines, asked } = await start(t);
  t.equal(await run({}), 7);
  t.match(runs[0], {
    url: 'http://127.0.0.1:3000',
    accounts: [{ username: 'demo', password: 'demo' }],
    inbox: { host: '127.0.0.1', port: 8026 },
    secret: SECRET,
    maxSeconds: 900,
  });
  t.equal(asked(), 0);
  t.strictSame(lines, ['Attacking http://127.0.0.1:3000 as demo, codes come to 127.0.0.1:8026']);
});

t.test(
  'users have passwords in their order, the last one for all others; else from the environment, or asked for',
  async (t) => {
    const { run, runs, lines, asked } = await start(t);
    await run({ users: ['a', 'b', 'c'], passwords: ['1', '2'] });
    await run({ users: ['a', 'b'] }, { ATTACK_PASSWORD: 'from outside' });
    await run({ users: ['a'], passwords: ['1'] }, { ATTACK_PASSWORD: 'from outside' });
    t.equal(asked(), 0);
    await run({ users: ['a', 'b'] });
    t.equal(asked(), 1);
    t.strictSame(
      runs.map(({ accounts }) => (accounts as { password: string }[]).map(({ password }) => password)),
      [['1', '2', '2'], ['from outside', 'from outside'], ['1'], ['from the prompt', 'from the prompt']],
    );
    for (const line of lines) t.notMatch(line, /from the prompt|from outside/);
  },
);

t.test('wrong arguments, and a host that is not this machine, are refused before anything is sent', async (t) => {
  const { run, runs } = await start(t);
  const table: [Partial<AttackArguments>, RegExp][] = [
    [{ url: 'https://login.example.com' }, /is not this machine/],
    [{ url: 'nonsense' }, /URL must be/],
    [{ app: 'https://app.example.com/' }, /app\.example\.com is not this machine/],
    [{ app: 'nonsense' }, /--app must be/],
    [{ inbox: '8026' }, /--inbox must be/],
    [{ minutes: '0' }, /--minutes must be/],
    [{ minutes: '61' }, /--minutes must be/],
    [{ minutes: 'x' }, /--minutes must be/],
  ];
  for (const [args, complaint] of table) await t.rejects(run(args), complaint, JSON.stringify(args));
  t.equal(runs.length, 0);
  await run({ url: 'https://login.example.com', app: 'https://app.example.com/whoami?a=1', owned: true });
  t.match(runs, [{ url: 'https://login.example.com', app: 'https://app.example.com/whoami?a=1' }]);
});

t.test('without a secret it tells how to start what is to be attacked', async (t) => {
  const { run, runs } = await start(t);
  await t.rejects(run({}, { WEBHOOK_SECRET: '' }), { name: 'ConfigError' });
  await t.rejects(
    run({}, { WEBHOOK_SECRET: '' }),
    /export WEBHOOK_SECRET=[\w-]{24}\n {2}WEBHOOK_URL=http:\/\/127\.0\.0\.1:8026\/ npm start\n/,
  );
  await t.rejects(run({}, { WEBHOOK_SECRET: '', WEBHOOK_SECRET_FILE: '/nonexistent/secret' }), /WEBHOOK_SECRET_FILE/);
  t.equal(runs.length, 0);
});

t.test('an inbox whose port is taken is told', async (t) => {
  const { url } = await startLoopbackServer(t);
  const io = { env: { WEBHOOK_SECRET: SECRET }, write: () => {}, readPassword: async () => '' };
  await t.rejects(attackCommand({ ...ARGS, inbox: new URL(url).host }, io), { code: 'EADDRINUSE' });
});
