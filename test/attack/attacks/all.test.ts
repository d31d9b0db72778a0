import t, { type Test } from 'tap';
import { startGateway } from '../../../bench/gateways.mjs';
import { attacks } from '../../../src/attack/attacks/all.ts';
import { hashPassword } from '../../../src/users/password.ts';
import { attackAt, inboxSettings, named } from '../../support/attacking.ts';
import { startEchoApp } from '../../support/echo-app.ts';
import { farAway } from '../../support/far-away.ts';
import { startLoopbackServer } from '../../support/loopback-server.ts';
import { program } from '../../support/programs.ts';
import { freePort } from '../../support/redis.ts';
import { type Change, testBuild } from '../../support/test-build.ts';
import { createTestTls } from '../../support/tls.ts';
import { writeUsers } from '../../support/user-files.ts';

const ACCOUNTS = [
  { username: 'ann', password: 'the password of ann' },
  { username: 'bob', password: 'the password of bob' },
] as const;

/** A service without one of its defences, and what has to get through there. */
interface Weakened {
  readonly changes?: readonly Change[];
  readonly env?: Record<string, string>;
  readonly fails: readonly string[];
  /** The attacks that are made; all, if none is named. */
  readonly only?: readonly string[];
  /** How far away it is, milliseconds there and back. */
  readonly roundTripMs?: number;
}

/** Two users from a file, their passwords hashed as the command line does it. */
async function usersFile(t: Test): Promise<string> {
  const entries = ACCOUNTS.map(async ({ username, password }, index) => ({
    username,
    passwordHash: await hashPassword(password),
    phone: `+1555010010${index + 1}`,
  }));
  return writeUsers(t.testdirName, await Promise.all(entries));
}

async function run(t: Test, { changes = [], env = {}, only, roundTripMs = 0 }: Omit<Weakened, 'fails'>) {
  const build = await testBuild(t, changes);
  const inbox = await inboxSettings();
  const { url } = await build.start({ ...inbox.env, USERS_FILE: await usersFile(t), ...env });
  return attackAt(roundTripMs === 0 ? url : await farAway(t, url, roundTripMs), inbox.port, build.clock, {
    accounts: ACCOUNTS,
    ...(only === undefined ? {} : { attacks: attacks.filter(({ name }) => only.includes(name)) }),
  });
}

t.test('each attack has a name of its own', async (t) => {
  t.equal(new Set(attacks.map(({ name }) => name)).size, attacks.length);
});

const SEEN_AT_THE_APP = ['session cookie at the app', 'assertion for another app', 'identity headers at the app'];
const ON_THE_APP = ['upgrade smuggling', ...SEEN_AT_THE_APP];

t.test('with two accounts only attacks on an app are skipped, and everything is refused', async (t) => {
  const { findings, exitCode, lines } = await run(t, {});
  t.strictSame(named(findings, 'failed'), []);
  t.strictSame(named(findings, 'skipped'), ON_THE_APP);
  t.equal(findings.length, attacks.length);
  t.equal(exitCode, 0);
  t.match(
    lines.at(-1),
    new RegExp(`^${attacks.length - 4} passed, 0 failed, 4 skipped; \\d{3} requests, 8 codes sent, \\d+ s$`),
  );
});

const GUESSING = ['brute force', 'cookie rollback', 'brute force in parallel'];

/** The file of a session as it would be without looking at what was sealed. */
const anySession: readonly Change[] = [
  { file: 'session/session.js', from: "s.typ === 'session' &&", to: '' },
  { file: 'session/session.js', from: 'Array.isArray(s.amr) &&', to: '' },
  { file: 'session/session.js', from: 's.amr.length > 0 &&', to: '' },
  { file: 'session/session.js', from: 's.amr.every((method) => AMR.includes(method)) &&', to: '' },
  { file: 'session/session.js', from: 'const session = value;', to: "const session = { amr: ['pwd'], ...value };" },
];
const oneKey: Change = { file: 'seal/keys.js', from: `\`doorcode \${purpose} v1\``, to: "'doorcode v1'" };

const noDecoy: readonly Change[] = [
  {
    file: 'users/file.js',
    from: 'await passwords.verify(known?.passwordHash ?? decoy, password)',
    to: 'known !== undefined && (await passwords.verify(known.passwordHash, password))',
  },
];

const weakened: Record<string, Weakened> = {
  'guesses that are counted, but have no bound': {
    changes: [{ file: 'limits/policy.js', from: 'guesses.count > otpAttempts', to: 'false' }],
    fails: ['brute force in parallel'],
  },
  'guesses that are counted anew with each request': {
    changes: [
      { file: 'limits/policy.js', from: "limits.add('guesses', id,", to: "limits.add('guesses', id + Math.random()," },
    ],
    fails: GUESSING,
  },
  'codes that sign in more than once': {
    changes: [
      {
        file: 'limits/policy.js',
        from: "close: ({ id }) => limits.claim('closed', id, challengeTtlSeconds)",
        to: 'close: async () => true',
      },
    ],
    fails: ['race for one code', 'replay', 'replaced code'],
  },
  'one key for all purposes, and no look at what was sealed': {
    changes: [oneKey, ...anySession],
    fails: ['cookie swap'],
  },
  'one key for all purposes alone: what was sealed is looked at': { changes: [oneKey], fails: [] },
  'no cross-site rule': {
    changes: [{ file: 'http/cross-site.js', from: '!SAFE_METHODS.has(request.method) &&', to: 'false &&' }],
    fails: ['cross-site posts'],
  },
  'no rule for where to return': {
    changes: [
      {
        file: 'gateway/return-to.js',
        from: 'return (target) => {',
        to: "return (target) => { if (typeof target === 'string' && target !== '') return target;",
      },
    ],
    // The links for gateways go by the same rule.
    fails: ['header spoofing', 'open redirects'],
  },
  'no hash for unknown users': {
    changes: noDecoy,
    fails: ['user enumeration by time'],
  },
  'no hash for unknown users, far away': {
    changes: noDecoy,
    roundTripMs: 200,
    only: ['user enumeration by time'],
    fails: ['user enumeration by time'],
  },
  'a hash for everybody, far away': { roundTripMs: 200, only: ['user enumeration by time'], fails: [] },

  // Further defences, with the attacks that are about them.
  'wrong codes of an account that are forgotten with each code': {
    changes: [
      {
        file: 'limits/policy.js',
        from: "limits.add('failures', account,",
        to: "limits.add('failures', account + Math.random(),",
      },
    ],
    only: ['guessing over many codes'],
    fails: ['guessing over many codes'],
  },
  'codes that never die': {
    changes: [
      { file: 'sign-in/verify.js', from: 'now >= challenge.exp * 1000', to: 'false' },
      { file: 'challenge/challenge.js', from: 'now >= exp', to: 'false' },
    ],
    only: ['expired code'],
    fails: ['expired code'],
  },
  'limits that only count': {
    changes: [{ file: 'limits/allowance.js', from: 'counted.count > max', to: 'false' }],
    only: ['send bombing', 'password guessing'],
    fails: ['send bombing', 'password guessing'],
  },
  'a pause between two codes that is announced, and not kept': {
    changes: [
      {
        file: 'limits/policy.js',
        from: `rule: 'send-cooldown',
            key: keyOf(phone),`,
        to: "rule: 'send-cooldown', key: keyOf(phone + Math.random()),",
      },
    ],
    only: ['send bombing'],
    fails: ['send bombing'],
  },
  'no pause between two codes, and none announced: the limit over minutes holds': {
    env: { RESEND_COOLDOWN: '0', MAX_GUESS_RISK: '1' },
    only: ['send bombing'],
    fails: [],
  },
  'addresses that anybody may claim': {
    env: { TRUST_PROXY: 'loopback' },
    only: ['password guessing'],
    fails: ['password guessing'],
  },
  'signing out that forgets the cookie only': {
    changes: [{ file: 'session/routes.js', from: 'revocation.revoke(id, exp)', to: 'null' }],
    only: ['race for one code', 'session after signing out'],
    fails: ['session after signing out'],
  },
  ...Object.fromEntries(
    Object.entries<Change>({
      'the first session that opens, valid or not': {
        file: 'session/current.js',
        from: "cookies.openAll(request, 'session')",
        to: "cookies.openAll(request, 'session').slice(0, 1)",
      },
      'sessions of two users, of which the first counts': {
        file: 'session/current.js',
        from: 'valid.length > 1 &&',
        to: 'false &&',
      },
      'signing out that ends one session of several': {
        file: 'session/current.js',
        from: "validAmong(cookies.openAnyName(request, 'session'), validity)",
        to: "validAmong(cookies.openAnyName(request, 'session'), validity).then((valid) => valid.slice(0, 1))",
      },
      'cookies of which eight are tried': {
        file: 'seal/cookies.js',
        from: 'if (pair.length >= start.length + MIN_SEALED_LENGTH)',
        to: 'if (header.slice(0, at).split(start).length <= 8)',
      },
      'the first challenge, used or not': {
        file: 'pages/sign-in-pages.js',
        from: 'valid.length > 1',
        to: 'false',
      },
      'a challenge for every subdomain': {
        file: 'seal/cookies.js',
        from: '(shared && domain ? { domain } : {})',
        to: "{ domain: 'example.com' }",
      },
    }).map(([what, change]): [string, Weakened] => [
      what,
      {
        changes: [change],
        only: ['race for one code', 'session after signing out', 'replaced code', 'planted cookies'],
        fails: ['planted cookies'],
      },
    ]),
  ),
  'a password that is enough': {
    changes: [
      {
        file: 'session/current.js',
        from: "cookies.openAll(request, 'session')",
        to: `[
          ...cookies.openAll(request, 'session'),
          ...cookies.openAll(request, 'challenge').map(({ name, payload }) =>
            ({ name, payload: { ...payload, typ: 'session', amr: ['pwd'] } })),
        ]`,
      },
    ],
    only: ['second factor skipped'],
    fails: ['second factor skipped'],
  },
  'a key that everybody knows': {
    env: { SESSION_KEYS: Buffer.alloc(32).toString('base64') },
    only: ['foreign and tampered cookies'],
    fails: ['foreign and tampered cookies'],
  },
  'types that are made to fit': {
    changes: [{ file: 'app.js', from: 'coerceTypes: false', to: "coerceTypes: 'array'" }],
    only: ['malformed input'],
    fails: ['malformed input'],
  },
  'an identity header that is kept from the client': {
    changes: [
      {
        file: 'gateway/routes.js',
        from: 'reply.headers(anonymous)',
        to: "reply.headers({ ...anonymous, 'remote-user': request.headers['remote-user'] ?? '' })",
      },
    ],
    only: ['header spoofing'],
    fails: ['header spoofing'],
  },
  'the whole number in an answer': {
    changes: [{ file: 'sign-in/routes.js', from: 'to: mask(challenge.phone),', to: 'to: challenge.phone,' }],
    only: ['send bombing', 'secrets in answers'],
    fails: ['secrets in answers'],
  },
  'users that are told from others': {
    changes: [
      {
        file: 'users/file.js',
        from: 'import { foldUsername } from "../username.js";',
        to: 'import { foldUsername } from "../username.js"; import { DoorcodeError } from "../errors.js";',
      },
      {
        file: 'users/file.js',
        from: 'const { byName, decoy } = users;',
        to: 'const { byName, decoy } = users; if (!byName.has(username)) throw new DoorcodeError("invalid_request");',
      },
    ],
    only: ['user enumeration by bytes'],
    fails: ['user enumeration by bytes'],
  },
};

for (const [what, { fails, ...build }] of Object.entries(weakened)) {
  t.test(`${fails.length > 0 ? 'it fails' : 'it passes'}: ${what}`, async (t) => {
    const { findings, exitCode, lines } = await run(t, build);
    const bad = findings.filter(({ outcome }) => outcome !== 'passed');
    t.strictSame(named(findings, 'failed'), fails, lines.join('\n'));
    const skipped = named(bad, 'skipped').filter((name) => !ON_THE_APP.includes(name));
    t.strictSame(skipped, [], 'nothing else is skipped');
    t.equal(exitCode, fails.length > 0 ? 1 : 0);
  });
}

/** An app behind deploy/nginx.conf, with some of its lines replaced, or with a service that is changed. */
interface Behind {
  readonly gateway?: readonly (readonly [from: string, to: string])[];
  readonly service?: readonly Change[];
  /** Without: switches to any protocol and repeats its headers. */
  readonly app?: 'repeats its headers' | 'says nothing';
  readonly fails: readonly string[];
  readonly skipped?: readonly string[];
}

const anyUpgrade = ['proxy_set_header Upgrade $app_upgrade;', 'proxy_set_header Upgrade $http_upgrade;'] as const;
const anyConnection = ['proxy_set_header Connection $app_connection;', 'proxy_set_header Connection upgrade;'] as const;
const allCookies = ['proxy_set_header Cookie $app_cookies;', 'proxy_set_header Cookie $http_cookie;'] as const;

/** Of the request to /auth alone. */
const authHost =
  'proxy_set_header X-Forwarded-Host $public_host;\n    proxy_set_header X-Forwarded-Method $request_method;';

const behindNginx: Record<string, Behind> = {
  'the file as it is': { fails: [] },
  'the file as it is, with an app that repeats nothing': {
    app: 'says nothing',
    fails: [],
    skipped: SEEN_AT_THE_APP,
  },
  'an Upgrade header of the client, which the app agrees to': {
    gateway: [anyUpgrade, anyConnection],
    fails: ['upgrade smuggling'],
  },
  'an Upgrade header of the client, which the app only repeats': {
    app: 'repeats its headers',
    gateway: [anyUpgrade, anyConnection],
    fails: ['upgrade smuggling'],
  },
  'the cookies of doorcode': { gateway: [allCookies], fails: ['session cookie at the app'] },
  'no cookies at all': {
    gateway: [[allCookies[0], 'proxy_set_header Cookie "";']],
    fails: ['session cookie at the app'],
  },
  'an assertion for every app': {
    service: [{ file: 'gateway/audience.js', from: 'return (request) => {', to: 'return () => { return origin;' }],
    fails: ['assertion for another app'],
  },
  'an assertion for the X-Forwarded-Host of the client': {
    gateway: [[authHost, authHost.replace('$public_host', '$http_x_forwarded_host')]],
    fails: ['assertion for another app'],
  },
  'an assertion for the Host of the client': {
    gateway: [[authHost, authHost.replace('$public_host', '$http_host')]],
    fails: ['assertion for another app'],
  },
  'the Remote-User of the client': {
    gateway: [['proxy_set_header Remote-User $doorcode_user;', 'proxy_set_header Remote-User $http_remote_user;']],
    fails: ['identity headers at the app'],
  },
  'the X-Forwarded-User of the client': {
    gateway: [
      ['proxy_set_header Save-Data $http_save_data;', 'proxy_set_header X-Forwarded-User $http_x_forwarded_user;'],
    ],
    fails: ['identity headers at the app'],
  },
};

for (const [what, { gateway = [], service = [], app, fails, skipped = [] }] of Object.entries(behindNginx)) {
  t.test(`${fails.length > 0 ? 'it fails' : 'it passes'} for an app behind nginx: ${what}`, async (t) => {
    const nginx = program(t, 'nginx');
    if (nginx === null) return;
    const build = await testBuild(t, service);
    const inbox = await inboxSettings();
    const port = await freePort();
    const { url } = await build.start({
      ...inbox.env,
      TRUST_PROXY: 'loopback',
      ALLOWED_RETURN_ORIGINS: `https://localhost:${port},https://other.localhost:${port}`,
      ASSERTION_KEY: Buffer.alloc(32, 2).toString('base64'),
    });
    const behind =
      app === undefined
        ? await startEchoApp(t)
        : await startLoopbackServer(t, ({ headers }, response) => {
            response.end(app === 'says nothing' ? 'hello' : JSON.stringify(headers));
          });
    const tls = createTestTls();
    const running = await startGateway('nginx', nginx, {
      port,
      replicas: [new URL(url).host, new URL(url).host],
      app: new URL(behind.url).host,
      tls,
      changes: [
        ['server_name app.example.com;', 'server_name localhost;'],
        [`$public_host app.example.com:${port};`, `$public_host localhost:${port};`],
        ...gateway,
      ],
    });
    t.teardown(() => running.stop());
    const { findings, exitCode, lines } = await attackAt(url, inbox.port, build.clock, {
      app: `https://localhost:${port}/`,
      ca: tls.ca,
      attacks: attacks.filter(({ name }) => ['race for one code', ...ON_THE_APP].includes(name)),
    });
    t.strictSame(named(findings, 'failed'), fails, lines.join('\n'));
    t.strictSame(named(findings, 'skipped'), skipped, lines.join('\n'));
    t.equal(exitCode, fails.length > 0 ? 1 : 0);
    if (what === 'the file as it is')
      t.match(
        lines.join('\n'),
        /received none of them[\s\S]*its own unchanged[\s\S]*the assertion is for this app alone, also/,
      );
  });
}
