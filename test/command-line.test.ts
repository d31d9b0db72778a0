import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verify } from '@node-rs/argon2';
import t from 'tap';
import { type Outcome, runCommand } from '../src/command-line.ts';
import { readConfig } from '../src/config.ts';
import type { Environment } from '../src/environment.ts';
import { DoorcodeError } from '../src/errors.ts';
import { faultDigits } from '../src/phone-simulator/faults.ts';
import { createSubjectHash } from '../src/telemetry/subject.ts';

interface Ran {
  readonly outcome: Outcome;
  /** Standard output and standard error, as text. */
  readonly out: string;
  readonly err: string;
  /** How often a password was asked for. */
  readonly asked: number;
}

interface Run {
  readonly readPassword?: () => Promise<string>;
  readonly env?: Environment;
  /** The command line itself, when parts of it are played by a test. */
  readonly command?: typeof runCommand;
}

async function run(args: readonly string[], options: Run = {}): Promise<Ran> {
  const { readPassword = async () => 'correct horse', env = {}, command = runCommand } = options;
  const out: string[] = [];
  const err: string[] = [];
  let asked = 0;
  const outcome = await command(args, '1.2.3', {
    env,
    write: (line) => void out.push(line),
    complain: (line) => void err.push(line),
    readPassword: () => {
      asked += 1;
      return readPassword();
    },
  });
  return { outcome, out: out.join('\n'), err: err.join('\n'), asked };
}

/** The module that a test plays. */
const UNLOCK = '../src/unlock.ts';

const done = { exitCode: 0 };
const misuse = { exitCode: 64 };
const failure = { exitCode: 1 };

t.test('without a command it serves', async (t) => {
  for (const args of [[], ['serve'], ['--'], ['--', 'serve']]) {
    t.strictSame(await run(args), { outcome: { serve: true }, out: '', err: '', asked: 0 }, args.join(' '));
  }
});

t.test('it explains itself', async (t) => {
  const table: [string[], RegExp][] = [
    [
      ['--help'],
      /^doorcode: .*\n\nUsage: doorcode \[COMMAND\]\n[\s\S]*\bserve\b[\s\S]*\bkey\b[\s\S]*\buser add NAME PHONE\b/,
    ],
    [['-h'], /^doorcode: /],
    [['serve', '--help'], /^Usage: doorcode \[serve\]\n[\s\S]*78/],
    [['key', '--help'], /^Usage: doorcode key \[--assertion\]\n[\s\S]*SESSION_KEYS[\s\S]*ASSERTION_KEY/],
    [['key', '-h', 'anything'], /^Usage: doorcode key /],
    [['key', '--assertion', '--help'], /^Usage: doorcode key /],
    [['unlock', '--help'], /^Usage: doorcode unlock NAME\n[\s\S]*REDIS_URL/],
    [['api-key', '--help'], /^Usage: doorcode api-key NAME [\s\S]*API_KEYS/],
    [['subject', '--help'], /^Usage: doorcode subject NAME\n[\s\S]*SESSION_KEYS/],
    [['user', '--help'], /^Usage: doorcode user add NAME PHONE [\s\S]*--file FILE[\s\S]*--locale LOCALE/],
    [['user', 'add', '--help'], /^Usage: doorcode user add /],
    [['--help', 'user', 'add'], /^Usage: doorcode user add /],
    [['phone', '--help'], /^Usage: doorcode phone [\s\S]*--certificate FILE/],
    [['attack', '--help'], /^Usage: doorcode attack URL [\s\S]*--i-own-this-host[\s\S]*78/],
    [['nonsense', '--help'], /^doorcode: /],
    [['constructor', '--help'], /^doorcode: /],
  ];
  for (const [args, help] of table) {
    const { outcome, out, err } = await run(args);
    t.strictSame({ outcome, err }, { outcome: done, err: '' }, args.join(' '));
    t.match(out, help, args.join(' '));
    t.notMatch(out, /.{121}/, `${args.join(' ')}: lines fit a terminal`);
  }
});

t.test('it tells its version', async (t) => {
  for (const args of [['--version'], ['-v'], ['serve', '--version'], ['-v', '-h']]) {
    t.match(await run(args), { outcome: done, out: /^1\.2\.3$/, err: '' }, args.join(' '));
  }
});

t.test('a key is 32 random bytes in base64, good for SESSION_KEYS', async (t) => {
  const { outcome, out } = await run(['key']);
  t.strictSame(outcome, done);
  t.match(out, /^[A-Za-z0-9+/]{43}=$/);
  t.equal(Buffer.from(out, 'base64').length, 32);
  t.not((await run(['key'])).out, out);
  t.equal(readConfig({ SESSION_KEYS: out }).masterKeys[0]?.toString('base64'), out);
});

t.test('a key of assertions is 32 random bytes as well, good for ASSERTION_KEY', async (t) => {
  const { outcome, out, err } = await run(['key', '--assertion']);
  t.strictSame({ outcome, err }, { outcome: done, err: '' });
  t.match(out, /^[A-Za-z0-9+/]{43}=$/);
  t.not((await run(['--assertion', 'key'])).out, out);
  t.equal(readConfig({ ASSERTION_KEY: out }).assertionKeys[0]?.toString('base64'), out);
});

t.test('what is not understood goes to standard error, with exit code 64', async (t) => {
  const number = '+15550100101';
  const table: [string[], RegExp][] = [
    [['nonsense'], /^There is no command "nonsense"\.\n\ndoorcode: [\s\S]*Usage: /],
    [['Serve'], /^There is no command "Serve"\./],
    [[''], /^There is no command ""\./],
    [['toString'], /^There is no command "toString"\./],
    [['__proto__'], /^There is no command "__proto__"\./],
    [['constructor', 'add', 'alice', number], /^There is no command "constructor"\./],
    [['serve', 'more'], /^Usage: doorcode \[serve\]/],
    [['key', 'more'], /^Usage: doorcode key/],
    [['key', 'more', '--assertion'], /^Usage: doorcode key/],
    [['key', '--assertion=yes'], /--assertion/],
    [['--assertion'], /^--assertion belongs to "doorcode key"$/],
    [['unlock', 'alice', '--assertion'], /^--assertion belongs to "doorcode key"$/],
    [['user'], /^Usage: doorcode user add/],
    [['user', 'remove', 'alice', number], /^Usage: doorcode user add/],
    [['user', 'add'], /^Usage: doorcode user add/],
    [['user', 'add', 'alice'], /^Usage: doorcode user add/],
    [['user', 'add', 'alice', number, 'more'], /^Usage: doorcode user add/],
    [['unlock'], /^Usage: doorcode unlock NAME/],
    [['subject'], /^Usage: doorcode subject NAME/],
    [['subject', 'alice', 'bob'], /^Usage: doorcode subject NAME/],
    [['unlock', 'alice', 'bob'], /^Usage: doorcode unlock NAME/],
    [['unlock', 'alice', '--locale', 'en'], /^--locale belongs to "doorcode user"$/],
    [['serve', '--port', '8443'], /^--port belongs to "doorcode phone"$/],
    [['phone', '--file', 'x'], /^--file belongs to "doorcode user"$/],
    [['phone', 'more'], /^Usage: doorcode phone/],
    [['attack'], /^Usage: doorcode attack URL/],
    [['attack', 'http://127.0.0.1:1', 'more'], /^Usage: doorcode attack URL/],
    [['attack', 'https://login.example.com'], /^login\.example\.com is not this machine/],
    [['attack', 'nonsense'], /^URL must be that of a deployment/],
    [['attack', 'http://127.0.0.1:1', '--inbox', 'x'], /^--inbox must be HOST:PORT/],
    [['serve', '--i-own-this-host'], /^--i-own-this-host belongs to "doorcode attack"$/],
    [['phone', '--user', 'x'], /^--user belongs to "doorcode attack"$/],
    [['phone', '--port', 'x'], /^--port must be a port/],
    [['phone', '--port', 'off'], /^--port must be a port/],
    [['phone', '--page-port', '65536'], /^--page-port must be a port/],
    [['phone', '--host', '0.0.0.0'], /--host/],
    [['--nonsense'], /--nonsense/],
    [['-x'], /-x/],
    [['--help=yes'], /--help/],
    [['user', 'add', 'alice', number, '--file'], /--file/],
    [['--file', 'users.json'], /^--file belongs to "doorcode user"$/],
    [['key', '--locale', 'en'], /^--locale belongs to "doorcode user"$/],
    [['user', 'add', 'alice', '5550100101'], /^PHONE must be a phone number with its country code/],
    [['user', 'add', 'alice', '+1'], /^PHONE must be/],
    [['user', 'add', 'alice', ''], /^PHONE must be/],
    [['user', 'add', '', number], /^username must be/],
    [['user', 'add', 'a\nb', number], /^username must be/],
    [['user', 'add', 'x'.repeat(257), number], /^username must be/],
    [['user', 'add', 'bob', number, '--locale', 'not a tag'], /^locale must be/],
    [['user', 'add', '', number, '--locale', 'not a tag'], /^username must be .*\nlocale must be/],
  ];
  for (const [args, complaint] of table) {
    const { outcome, out, err, asked } = await run(args);
    const label = args.join(' ');
    t.strictSame({ outcome, out, asked }, { outcome: misuse, out: '', asked: 0 }, label);
    t.match(err, complaint, label);
  }
});

t.test('a user is added with the hash of the password, and the password nowhere', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'users.json');
  const password = ' zebra 😀 horse ';
  const add = await run(['user', 'add', 'Zoë', '+1 (555) 010-0101', '--file', file], {
    readPassword: async () => password,
  });
  t.strictSame(add, { outcome: done, out: `Added Zoë to ${file}.`, err: '', asked: 1 });
  const text = await readFile(file, 'utf8');
  t.notMatch(text, 'zebra');
  const [user] = JSON.parse(text);
  t.strictSame(Object.keys(user).sort(), ['passwordHash', 'phone', 'username']);
  t.match(user, { username: 'Zoë', phone: /^\+15550100101$/, passwordHash: /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/ });
  t.equal(await verify(user.passwordHash, password), true, 'blanks around it belong to it');
  t.equal(await verify(user.passwordHash, password.trim()), false);

  const args = ['user', 'add', 'bob', '+15550100102', `--file=${file}`, '--locale', 'pt-BR'];
  t.strictSame((await run(args)).outcome, done);
  const users = JSON.parse(await readFile(file, 'utf8'));
  t.match(users, [{ username: 'Zoë' }, { username: 'bob', locale: 'pt-BR' }]);
  t.strictSame(await readdir(folder), ['users.json'], 'nothing else is left behind');
});

t.test('the file is users.json in the current folder, unless told', async (t) => {
  const folder = t.testdir();
  const before = process.cwd();
  process.chdir(folder);
  t.teardown(() => process.chdir(before));
  t.match(await run(['user', 'add', 'alice', '+15550100101']), { outcome: done, out: 'Added alice to users.json.' });
  t.strictSame(await readdir(folder), ['users.json']);
});

t.test('a password that could not be typed at sign-in, or is too short, is refused', async (t) => {
  const folder = t.testdir();
  const args = ['user', 'add', 'alice', '+15550100101', '--file', join(folder, 'users.json')];
  for (const password of ['', '1234567', 'x'.repeat(1025)]) {
    const { outcome, out, err } = await run(args, { readPassword: async () => password });
    t.strictSame({ outcome, out }, { outcome: misuse, out: '' }, `${password.length} characters`);
    t.equal(err, 'The password must have 8 to 1024 characters.');
  }
  t.strictSame(await readdir(folder), [], 'nothing is written');
  t.strictSame((await run(args, { readPassword: async () => 'x'.repeat(8) })).outcome, done);
  const longest = ['user', 'add', 'bob', '+15550100101', '--file', join(folder, 'users.json')];
  t.strictSame((await run(longest, { readPassword: async () => 'x'.repeat(1024) })).outcome, done);
});

t.test('what goes wrong with a user goes to standard error, with exit code 1', async (t) => {
  const folder = t.testdir({ 'broken.json': '{', 'users.json': '[]' });
  const file = join(folder, 'users.json');
  const add = (name: string, ...more: string[]) => run(['user', 'add', name, '+15550100101', '--file', file, ...more]);
  t.strictSame((await add('alice')).outcome, done);
  const before = await readFile(file, 'utf8');
  const table: [Ran, RegExp][] = [
    [await add('alice'), /"alice" exists already/],
    [await add('ALICE'), /"ALICE" exists already/],
    [await add('ａｌｉｃｅ'), /exists already/],
    [await run(['user', 'add', 'bob', '+15550100101', '--file', join(folder, 'broken.json')]), /is left as it is/],
    [await run(['user', 'add', 'bob', '+15550100101', '--file', join(folder, 'no', 'folder')]), /ENOENT/],
    [
      await run(['user', 'add', 'bob', '+15550100101', '--file', file], {
        readPassword: async () => {
          throw new Error('The two passwords differ.');
        },
      }),
      /^The two passwords differ\.$/,
    ],
  ];
  for (const [{ outcome, out, err }, complaint] of table) {
    t.strictSame({ outcome, out }, { outcome: failure, out: '' }, String(complaint));
    t.match(err, complaint);
    t.notMatch(err, 'correct horse');
  }
  t.equal(await readFile(file, 'utf8'), before);
});

t.test('an account is unlocked in the shared store, in the name that was given', async (t) => {
  const env = { REDIS_URL: 'redis://redis.example.com' };
  const asked: unknown[] = [];
  let locked = true;
  const { runCommand: command } = await t.mockImport<typeof import('../src/command-line.ts')>(
    '../src/command-line.ts',
    {
      [UNLOCK]: {
        unlock: async (...args: unknown[]) => {
          asked.push(args);
          return locked;
        },
      },
    },
  );
  t.match(await run(['unlock', 'Alice'], { env, command }), { outcome: done, out: 'Unlocked Alice.', err: '' });
  locked = false;
  t.match(await run(['unlock', 'bob'], { env, command }), { outcome: done, out: 'bob was not locked.', err: '' });
  t.strictSame(asked, [
    [env, 'Alice'],
    [env, 'bob'],
  ]);
});

t.test('without a shared store there is nothing to unlock, which is a fault of the configuration', async (t) => {
  const { outcome, out, err } = await run(['unlock', 'alice']);
  t.strictSame({ outcome, out }, { outcome: { exitCode: 78 }, out: '' });
  t.match(err, 'REDIS_URL: is missing');
});

t.test('a store that cannot be reached is no fault of usage', async (t) => {
  const { runCommand: command } = await t.mockImport<typeof import('../src/command-line.ts')>(
    '../src/command-line.ts',
    {
      [UNLOCK]: {
        unlock: async () => {
          throw new DoorcodeError('limits_unavailable');
        },
      },
    },
  );
  const { outcome, err } = await run(['unlock', 'alice'], { command });
  t.strictSame(outcome, failure);
  t.equal(err, 'The limit store is unavailable');
});

const PHONE = '../src/phone-simulator/open-phone.ts';

t.test('the simulator runs until it is closed, where it is told to', async (t) => {
  const opened: unknown[] = [];
  const running = { close: async () => {} };
  const { runCommand: command } = await t.mockImport<typeof import('../src/command-line.ts')>(
    '../src/command-line.ts',
    {
      [PHONE]: {
        openPhone: async ({ write, ...options }: { write: (line: string) => void }) => {
          opened.push(options);
          write('it runs');
          return running;
        },
      },
    },
  );
  t.match(await run(['phone'], { command }), { outcome: { running }, out: 'it runs', err: '' });
  await run(['phone', '--port=0', '--page-port', 'off', '--certificate', 'some.pem'], { command });
  await run(['phone', '--page-port', '65535'], { command, env: { NODE_ENV: 'development' } });
  await run(['phone', '--fault', 'signalwire=hang', '--fault', 'plivo=reset'], { command });
  t.strictSame(opened, [
    { port: 8443, pagePort: 8025, certificatePath: 'phone-certificate.pem', faults: new Map() },
    { port: 0, pagePort: null, certificatePath: 'some.pem', faults: new Map() },
    { port: 8443, pagePort: 65_535, certificatePath: 'phone-certificate.pem', faults: new Map() },
    {
      port: 8443,
      pagePort: 8025,
      certificatePath: 'phone-certificate.pem',
      faults: new Map([
        ['signalwire', 'hang'],
        ['plivo', 'reset'],
      ]),
    },
  ]);
  t.match(await run(['phone', '--fault', 'signalwire=tired'], { command }), {
    outcome: { exitCode: 64 },
    err: '--fault',
  });
});

t.test('the help of the simulator lists every fault as it is', async (t) => {
  const { out } = await run(['phone', '--help']);
  const listed = [...out.matchAll(/^ {2}(\d{3}) {2}(.+)$/gm)].map(([, digits, what]) => ({ digits, what }));
  t.strictSame(
    listed,
    faultDigits.map(({ digits, what }) => ({ digits, what })),
  );
});

t.test('in production the simulator does not start', async (t) => {
  const { outcome, out, err } = await run(['phone', '--port', '0'], { env: { NODE_ENV: 'production' } });
  t.strictSame({ outcome, out }, { outcome: { exitCode: 78 }, out: '' });
  t.match(err, /NODE_ENV: .*production/);
  for (const NODE_ENV of [' production ', 'Production', 'prod']) {
    t.match(await run(['phone', '--port', '0'], { env: { NODE_ENV } }), { outcome: { exitCode: 78 }, err: 'NODE_ENV' });
  }
});

t.test('a subject is what the log has, by the first key', async (t) => {
  const [first = Buffer.of(), second = Buffer.of()] = [1, 2].map((byte) => Buffer.alloc(32, byte));
  const SESSION_KEYS = [first, second].map((key) => key.toString('base64')).join();
  for (const name of ['alice', 'ALICE', '+15550100101']) {
    const out = createSubjectHash(first)(name);
    t.strictSame(await run(['subject', name], { env: { SESSION_KEYS } }), { outcome: done, out, err: '', asked: 0 });
  }
  t.strictSame((await run(['subject', 'ALICE'], { env: { SESSION_KEYS } })).out, createSubjectHash(first)('alice'));
});

t.test('without keys of its own there is no subject that stays', async (t) => {
  const env = { SESSION_KEYS: 'nonsense' };
  for (const options of [{}, { env }]) {
    t.match(await run(['subject', 'alice'], options), {
      outcome: { exitCode: 78 },
      out: '',
      err: /^ *SESSION_KEYS[: ]/m,
    });
  }
});

const ATTACK = '../src/attack/command.ts';

t.test('an attack is handed what the command line says, and ends with its exit code', async (t) => {
  const calls: unknown[] = [];
  const { runCommand: command } = await t.mockImport<typeof import('../src/command-line.ts')>(
    '../src/command-line.ts',
    {
      [ATTACK]: {
        attackCommand: async (args: unknown) => {
          calls.push(args);
          return 3;
        },
      },
    },
  );
  t.match(await run(['attack', 'http://127.0.0.1:3000'], { command }), { outcome: { exitCode: 3 }, err: '' });
  const more = [
    '--app=https://app.example.com/',
    '--user=a',
    '--user=b',
    '--password=x',
    '--inbox=[::1]:1',
    '--minutes=2',
    '--i-own-this-host',
  ];
  await run(['attack', 'https://login.example.com', ...more], { command });
  t.strictSame(calls, [
    { url: 'http://127.0.0.1:3000', inbox: '127.0.0.1:8026', minutes: '15', users: [], passwords: [], owned: false },
    {
      url: 'https://login.example.com',
      app: 'https://app.example.com/',
      inbox: '[::1]:1',
      minutes: '2',
      users: ['a', 'b'],
      passwords: ['x'],
      owned: true,
    },
  ]);
});

t.test('an attack without a secret is a fault of the configuration', async (t) => {
  t.match(await run(['attack', 'http://127.0.0.1:1']), { outcome: { exitCode: 78 }, out: '', err: 'WEBHOOK_SECRET' });
});
