import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { settingNames } from '../src/config.ts';
import { program } from './support/programs.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

t.test('every source has its test in the same place, and every test its source', async (t) => {
  const withoutTest: Record<string, string> = {
    'callbacks/api': 'literals; openapi/document.test.ts holds them, and support/documented.ts every answer',
    'command-help': 'words; command-line.test.ts and readme.test.ts hold them',
    'delivery/sender': 'a port; its adapters pass sender.contract.ts',
    'limits/limits': 'a port',
    'phone-simulator/provider': 'a port; compatibility and plivo have tests of their own',
    'openapi/operation': 'types and words',
    'session/api': 'as callbacks/api',
    'sign-in/api': 'as callbacks/api',
    'sign-in/ports': 'types only',
    'verifications/api': 'as callbacks/api',
    'verifications/ports': 'types only',
    'users/directory': 'a port; its adapters pass directory.contract.ts',
  };
  const withoutSource: Record<string, string> = {
    advisories: 'what has gone wrong elsewhere, by its published id',
    'attack/attacks/app-assertion': 'an attack with many variants, on an app in the same process',
    'attack/attacks/app-identity': 'the same',
    'config-faults': 'odd values of every setting',
    'delivery-flow': 'the whole sign-in, with every provider',
    house: 'the rules of the house',
    'http/bad-input': 'wrong requests to every route',
    'openapi/documented': 'that tests see what is not documented',
    'limits/flood': 'keys that a client makes up, over all limits in memory',
    'limits/model': 'any order of events, over memory; the same over Redis is a system test',
    'deploy/files': 'the other files of deploy/',
    'deploy/replicas': 'what two replicas agree on',
    'deploy/watching': 'the dashboard of deploy/',
    readme: 'what the README shows, run as it stands there',
    secrets: 'where no secret may show, over all routes',
    'system/attack/replicas': 'the attacks on two replicas behind a gateway',
    'system/bundle': 'what the bundle of dist/ loads',
    'system/cost': 'memory and bytes of a request',
    'system/deploy/files': 'compose.yaml with a real Valkey or Redis',
    'system/deploy/gateways': 'the files of deploy/ for gateways',
    'system/deploy/replicas': 'two replicas of the built program',
    'system/deploy/rolling-restart': 'restarts behind a gateway',
    'system/deploy/watching': 'the alerts of deploy/',
    'system/examples': 'the programs of examples/',
    'system/independent': 'other implementations of the same standards',
    'system/limits/flood': 'the tables of the built program',
    'system/limits/model': 'limits/limits.model.ts over Redis',
    'system/limits/replicas': 'two replicas that share a Redis',
    'system/openapi/client': 'a generated client',
    'system/openapi/curl': 'the commands of the page of the API',
    'system/outgoing-requests': 'trace and proxy of every outgoing request',
    'system/pages/axe': 'pages in Chromium',
    'system/pages/countdown': 'pages in Chromium',
    'system/pages/fill-in': 'pages in Chromium',
    'system/pages/flow': 'pages in Chromium',
    'system/pages/layout-shift': 'pages in Chromium',
    'system/pages/one-click': 'pages in Chromium',
    'system/readme': 'commands of the README',
    'system/unwritable-output': 'the process when its output cannot be written',
  };
  // The languages themselves are words; what they have in common is held by one test. So is that each attack fails where
  // a service lacks the defence that it tries.
  const sources = namesIn('src', '.ts').filter(
    (name) => !/^pages\/locales\/(?!locales$)|^attack\/attacks\/(?!all$)/.test(name),
  );
  const tests = namesIn('test', '.test.ts');
  const sourceOf = (name: string) => name.replace(/^system\//, '');
  const tested = new Set(tests.map(sourceOf));

  t.strictSame(
    sources.filter((name) => !tested.has(name) && !(name in withoutTest)),
    [],
    'sources without a test',
  );
  t.strictSame(
    tests.filter((name) => !sources.includes(sourceOf(name)) && !(name in withoutSource)),
    [],
    'tests without a source',
  );
  t.strictSame(
    [
      ...Object.keys(withoutTest).filter((name) => !sources.includes(name)),
      ...Object.keys(withoutSource).filter((name) => !tests.includes(name)),
    ],
    [],
    'exceptions for files that are gone',
  );
});

t.test('fast tests start no other program and no thread', async (t) => {
  const starting =
    /from '(?:node:child_process|node:worker_threads|playwright-core)'|^import [^;]*\b(?:program|stage|startRedis|startSentinel|startService|startGateway|testBuild|pythonWith\w+)\b[^;]*;/m;
  const fast = namesIn('test', '.test.ts').filter((name) => !name.startsWith('system/'));
  // This file runs the linter.
  const found = fast.filter((name) => name !== 'house' && starting.test(read(`test/${name}.test.ts`)));
  t.strictSame(found, [], 'these belong to test/system/');
});

t.test('the example environment names every setting, SignalWire first, and files for secrets', async (t) => {
  const example = read('.env.example');
  const settings = settingNames();
  const listed = [...example.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name);
  t.strictSame(listed.toSorted(), settings.toSorted());
  t.strictSame(listed.slice(0, 4), ['SIGNALWIRE_SPACE', 'SIGNALWIRE_PROJECT', 'SIGNALWIRE_TOKEN', 'SIGNALWIRE_NUMBER']);
  t.match(example, /\b[A-Z_]+_FILE=\//);
});

t.test('the README explains every setting', async (t) => {
  const explained = [...read('README.md').matchAll(/^\| `([A-Z][A-Z0-9_]*)`[^|]*\|/gm)].map(([, name = '']) => name);
  t.strictSame(explained.toSorted(), settingNames().toSorted());
});

t.test('CONTRIBUTING says of every dependency what it is for, and of no other', async (t) => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const [, section = ''] = read('CONTRIBUTING.md').split(/^## Dependencies$/m);
  const explained = [...section.matchAll(/^\| `([^`]+)` \| [^|]*\w/gm)].map(([, name = '']) => name);
  t.strictSame(explained.toSorted(), Object.keys({ ...dependencies, ...devDependencies }).toSorted());
});

t.test('no source calls URL.canParse, which fails for other scripts once V8 has optimized it', async (t) => {
  const calls = namesIn('src', '.ts').filter((name) => read(`src/${name}.ts`).includes('URL.canParse('));
  t.strictSame(calls, [], 'use parseUrl');
});

t.test('no file tells of one machine or network', async (t) => {
  const files = repositoryFiles(t);
  if (files === null) return;
  const examples = new BlockList();
  for (const [address, prefix] of [
    ['127.0.0.0', 8],
    ['0.0.0.0', 32],
    // For documentation: RFC 5737.
    ['192.0.2.0', 24],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    // What TRUST_PROXY is tried with: the first addresses of private networks (RFC 1918), and netmasks.
    ['10.0.0.0', 24],
    ['172.16.0.0', 24],
    ['192.168.0.0', 24],
    ['255.0.0.0', 8],
  ] as const) {
    examples.addSubnet(address, prefix, 'ipv4');
  }
  for (const [address, prefix] of [
    ['::', 127],
    // For documentation: RFC 3849, RFC 9637.
    ['2001:db8::', 32],
    ['3fff::', 20],
    // Link-local (RFC 4291) and private networks (RFC 4193): the same everywhere.
    ['fe80::', 10],
    ['fc00::', 64],
    ['fd00::', 64],
    // IPv4 inside IPv6: the prefixes themselves, and addresses with one for documentation.
    ['::ffff:0:0', 96],
    ['::ffff:0:0:0', 128],
    ['64:ff9b::', 112],
    ['64:ff9b::c000:200', 120],
    ['64:ff9b:1::', 48],
    ['2001::', 128],
    ['2001:0:c000:200::', 56],
    ['2002::', 32],
    ['2002:c000:200::', 40],
  ] as const) {
    examples.addSubnet(address, prefix, 'ipv6');
  }
  const isForeign = (token: string) => {
    const [address = ''] = token.split('/');
    return isIP(address) !== 0 && !examples.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  };

  const found: string[] = [];
  for (const path of files) {
    const text = read(path);
    if (text.includes('\0')) continue;
    const addresses = [
      // Not the section of a standard, §9.2.3.24.
      ...text.matchAll(/(?<![§\w.])\d{1,3}(?:\.\d{1,3}){3}(?:\/\d+)?(?![\w-]|\.\d)/g),
      ...text.matchAll(/(?<![\w:])[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}(?:\/\d+)?(?![\w:]|\.\d)/gi),
    ].filter(([token]) => isForeign(token));
    const places = [
      ...text.matchAll(/registry\.(?:npmjs|yarnpkg)\.|(?:deb|security)\.debian\.org|pypi\.org/g),
      ...text.matchAll(/(?<=^|[\s'"`(=:])(?:\/(?:home|root|work|Users)\/\w|\.\.\/shared\b)/gm),
    ];
    found.push(...[...addresses, ...places].map(([token]) => `${path}: ${token}`));
  }
  t.strictSame(found, []);
});

t.test('what is packed has been built', async (t) => {
  const { files, scripts } = JSON.parse(read('package.json')) as { files: string[]; scripts: Record<string, string> };
  t.ok(files.includes('dist'));
  // npm runs it before `pack` and `publish`, and at an installation from a repository.
  t.ok(scripts['prepack']?.endsWith(` && ${scripts['prestart']}`));
  t.match(scripts['prepack'], /\bbuild$/);
  t.match(scripts['prepack'], "rmSync('dist'", 'and holds nothing whose source is gone');
});

t.test('the linter holds who may import whom', async (t) => {
  const foreign = ['../delivery/console.ts', '../users/file.ts', '../limits/memory.ts'];
  const ports = ['../delivery/sender.ts', '../users/directory.ts', '../limits/limits.ts', '../limits/policy.ts'];
  const outer = ['../app.ts', '../config.ts', '../serve.ts', '../main.ts'];
  const web = ['fastify', '@fastify/cookie'];
  const network = ['undici', 'ioredis', '@signalwire/compatibility-api', 'node:http'];
  const theProcess = ['process', 'node:process'];
  const simulator = ['./phone-simulator/open-phone.ts', './phone-simulator/phone.ts', './attack/run.ts'];
  const otp = ['otplib', 'otplib/functional', '@otplib/plugin-crypto-node'];
  const rules: Record<string, { refused: string[]; allowed: string[] }> = {
    'challenge/some.ts': {
      refused: [...web, ...otp, ...foreign, ...ports, ...outer, '../clock.ts', '../errors.ts', 'node:http', 'pino'],
      allowed: ['node:crypto', './challenge.ts'],
    },
    'challenge/totp.ts': {
      refused: [...web, ...foreign, ...ports, ...outer, '../clock.ts', 'node:http'],
      allowed: [...otp, 'node:crypto', './challenge.ts'],
    },
    'sign-in/api.ts': {
      refused: [...otp, ...foreign, '../session/routes.ts'],
      allowed: ['../openapi/operation.ts', '../gateway/return-to.ts'],
    },
    'openapi/some.ts': {
      refused: [...otp, ...foreign, ...simulator.map((path) => `.${path}`)],
      allowed: [...web, '../errors.ts', '../pages/render.ts', './operation.ts'],
    },
    'users/some.ts': {
      refused: [...web, ...otp, ...outer, '../delivery/sender.ts', '../limits/limits.ts', '../session/session.ts'],
      allowed: ['../clock.ts', '../errors.ts', './directory.ts', 'undici', 'node:fs'],
    },
    'delivery/some.ts': {
      refused: [...web, ...otp, ...outer, '../users/directory.ts', '../limits/limits.ts', '../challenge/challenge.ts'],
      allowed: ['../clock.ts', '../log.ts', './sender.ts', 'undici', '@signalwire/compatibility-api'],
    },
    'limits/some.ts': {
      refused: [...web, ...otp, ...outer, '../users/directory.ts', '../delivery/sender.ts'],
      allowed: ['../clock.ts', '../username.ts', './limits.ts'],
    },
    'phone-simulator/some.ts': {
      refused: [...web, ...otp, ...outer, ...foreign, ...ports, '../challenge/challenge.ts', '../http/problem.ts'],
      allowed: ['../clock.ts', '../environment.ts', './provider.ts', 'node:https'],
    },
    'attack/some.ts': {
      refused: [
        ...otp,
        ...outer,
        ...foreign,
        '../sign-in/login.ts',
        '../http/cross-site.ts',
        '../phone-simulator/phone.ts',
      ],
      allowed: ['fastify', 'undici', '../clock.ts', '../seal/codec.ts', '../session/session.ts', './client.ts'],
    },
    'attack/attacks/some.ts': {
      refused: [...otp, '../../serve.ts', '../../limits/memory.ts'],
      allowed: ['../client.ts', '../attack.ts', './other.ts'],
    },
    'sign-in/some.ts': {
      refused: [
        ...web,
        ...otp,
        ...outer,
        ...foreign,
        ...network,
        '../seal/cookies.ts',
        '../http/problem.ts',
        './routes.ts',
      ],
      allowed: [...ports, '../challenge/challenge.ts', '../session/session.ts', '../errors.ts', './ports.ts'],
    },
    'session/some.ts': {
      refused: [
        ...web,
        ...otp,
        ...outer,
        ...foreign,
        ...network,
        '../seal/cookies.ts',
        '../http/problem.ts',
        './routes.ts',
      ],
      allowed: [...ports, '../challenge/challenge.ts', './session.ts', '../clock.ts'],
    },
    'sign-in/routes.ts': {
      refused: [...otp, ...foreign, '../session/routes.ts'],
      allowed: [
        ...web,
        ...ports,
        '../challenge/challenge.ts',
        '../seal/cookies.ts',
        './login.ts',
        '../session/current.ts',
      ],
    },
    'session/routes.ts': { refused: ['../sign-in/routes.ts'], allowed: ['./revocation.ts', '../http/negotiate.ts'] },
    'session/current.ts': { refused: [...otp, ...foreign], allowed: ['../seal/cookies.ts', 'fastify'] },
    'http/some.ts': {
      refused: [...otp, ...foreign, '../sign-in/login.ts', '../session/session.ts', '../session/routes.ts'],
      allowed: [...web, '../errors.ts', './problem.ts'],
    },
    'seal/some.ts': {
      refused: [...otp, ...foreign, '../sign-in/login.ts', '../session/session.ts', '../sign-in/routes.ts'],
      allowed: [...web, './keys.ts'],
    },
    'some.ts': {
      refused: [...otp, ...simulator, './delivery/console.ts', './users/file.ts', './limits/memory.ts'],
      allowed: [...web, './delivery/sender.ts', './limits/policy.ts', './sign-in/routes.ts'],
    },
    'serve.ts': {
      refused: [...otp, ...simulator],
      allowed: ['./delivery/console.ts', './users/file.ts', './limits/memory.ts', './app.ts'],
    },
    'unlock.ts': {
      refused: [...otp, ...simulator],
      allowed: ['./limits/redis.ts', './limits/hash-key.ts', './limits/policy.ts'],
    },
    'command-line.ts': {
      refused: [
        './delivery/console.ts',
        './users/file.ts',
        './limits/memory.ts',
        './sign-in/login.ts',
        './phone-simulator/phone.ts',
        './attack/run.ts',
      ],
      allowed: [
        './attack/command.ts',
        './delivery/phone.ts',
        './users/add-user.ts',
        './users/password.ts',
        './unlock.ts',
        './phone-simulator/open-phone.ts',
      ],
    },
    'main.ts': { refused: [...otp, './delivery/console.ts'], allowed: [...theProcess, './command-line.ts'] },
  };
  // A folder that no rule names yet would let everything through.
  for (const folder of readdirSync(join(ROOT, 'src'), { withFileTypes: true })) {
    if (folder.isDirectory()) rules[`${folder.name}/else.ts`] = { refused: [...otp], allowed: [] };
  }
  for (const [path, { refused }] of Object.entries(rules)) if (path !== 'main.ts') refused.push(...theProcess);

  const files = Object.entries(rules).map(([path, { refused, allowed }]) => [
    `src/${path}`,
    [...refused, ...allowed].map((specifier) => `import '${specifier}';`),
  ]);
  const errors = lint(t, 'style/noRestrictedImports', Object.fromEntries(files));
  for (const [path, { refused, allowed }] of Object.entries(rules)) {
    const lines = errors[`src/${path}`] ?? [];
    t.strictSame(
      [...refused, ...allowed].filter((_, index) => lines.includes(index + 1)),
      refused,
      path,
    );
  }
});

t.test('the linter leaves the process to main.ts, by whatever name', async (t) => {
  const refused = ['process.pid;', 'globalThis.process.pid;', "globalThis['process'].pid;", 'global.process.pid;'];
  const text = [...refused, 'performance.now();', 'setTimeout(() => {}, 1);'];
  const files = { 'src/some.ts': text, 'src/users/some.ts': text, 'src/main.ts': text };
  const all = refused.map((_, index) => index + 1);
  t.strictSame(lint(t, 'style/noRestrictedGlobals', files), { 'src/some.ts': all, 'src/users/some.ts': all });
});

t.test('time comes from the clock, and only main.ts touches the process', (t) => {
  const uses = (pattern: RegExp) => namesIn('src', '.ts').filter((name) => pattern.test(read(`src/${name}.ts`)));
  t.strictSame(uses(/\bDate\.now\(|\bnew Date\(\)/), ['clock']);
  t.strictSame(uses(/'(?:node:)?process'/), ['main']);
  t.end();
});

/** Lints files, given by their lines, with one of our rules. @returns the lines that it refuses, by file */
function lint(t: Test, rule: string, files: Readonly<Record<string, readonly string[]>>): Record<string, number[]> {
  const project = t.testdir({});
  for (const file of ['biome.json', '.gitignore']) cpSync(join(ROOT, file), join(project, file));
  for (const [path, lines] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), lines.map((line) => `${line}\n`).join(''));
  }
  const { stdout } = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/@biomejs/biome/bin/biome'),
      'lint',
      `--only=${rule}`,
      '--reporter=json',
      '--max-diagnostics=none',
    ],
    { cwd: project, encoding: 'utf8' },
  );
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { category: string; severity: string; location: { path: string; start: { line: number } } }[];
  };
  const found: Record<string, number[]> = {};
  for (const { category, severity, location } of diagnostics) {
    if (!category.endsWith(rule) || severity !== 'error') continue;
    found[location.path] = [...(found[location.path] ?? []), location.start.line].toSorted((a, b) => a - b);
  }
  return found;
}

function namesIn(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => path.slice(0, -ending.length).replaceAll('\\', '/'))
    .toSorted();
}

/** What git knows, and what it would be told of next; all but the lock file, which is not ours. */
function repositoryFiles(t: Test): string[] | null {
  const git = program(t, 'git');
  if (git === null) return null;
  const { status, stdout } = spawnSync(git, ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  t.equal(status, 0);
  return stdout.split('\0').filter((path) => path !== '' && path !== 'package-lock.json');
}
