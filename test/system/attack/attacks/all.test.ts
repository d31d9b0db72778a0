import t, { type Test } from 'tap';
import { startGateway } from '../../../../bench/gateways.mjs';
import { attacks } from '../../../../src/attack/attacks/all.ts';
import { hashPassword } from '../../../../src/users/password.ts';
import { attackAt, inboxSettings, named, ON_AN_APP } from '../../../support/attacking.ts';
import { startEchoApp } from '../../../support/echo-app.ts';
import { startLoopbackServer } from '../../../support/loopback-server.ts';
import { program } from '../../../support/programs.ts';
import { freePort } from '../../../support/redis.ts';
import { type Change, type TestBuild, testBuild } from '../../../support/test-build.ts';
import { createTestTls } from '../../../support/tls.ts';
import { cheapHash, writeUsers } from '../../../support/user-files.ts';

const ACCOUNTS = [
  { username: 'ann', password: 'the password of ann' },
  { username: 'bob', password: 'the password of bob' },
] as const;

/** Two users from a file, their passwords hashed as the command line does it unless another hash is given. */
async function usersFile(t: Test, hash = hashPassword): Promise<string> {
  const entries = ACCOUNTS.map(async ({ username, password }, index) => ({
    username,
    passwordHash: await hash(password),
    phone: `+1555010010${index + 1}`,
  }));
  return writeUsers(t.testdirName, await Promise.all(entries));
}

t.test('with two accounts only attacks on an app are skipped, and everything is refused', async (t) => {
  const build = await testBuild(t);
  const inbox = await inboxSettings();
  const { url } = await build.start({ ...inbox.env, USERS_FILE: await usersFile(t) });
  // The attack that compares times is made on an injected stopwatch, in test/attack/attacks/all.test.ts.
  const made = attacks.filter(({ name }) => name !== 'user enumeration by time');
  t.equal(made.length, attacks.length - 1);
  const options = { accounts: ACCOUNTS, attacks: made };
  const { findings, exitCode, lines } = await attackAt(url, inbox.port, build.clock, options);
  t.strictSame(named(findings, 'failed'), [], lines.join('\n'));
  t.strictSame(named(findings, 'skipped'), ON_AN_APP);
  t.equal(findings.length, made.length);
  t.equal(exitCode, 0);
  const summary = `^${made.length - 4} passed, 0 failed, 4 skipped; \\d{3} requests, 8 codes sent, \\d+ s$`;
  t.match(lines.at(-1), new RegExp(summary));
});

/** The session cookie as it would be without validation of what was sealed. */
const anySession: readonly Change[] = [
  { file: 'session/session.js', from: "s.typ === 'session' &&", to: '' },
  { file: 'session/session.js', from: 'Array.isArray(s.amr) &&', to: '' },
  { file: 'session/session.js', from: 's.amr.length > 0 &&', to: '' },
  { file: 'session/session.js', from: 's.amr.every((method) => AMR.includes(method)) &&', to: '' },
  { file: 'session/session.js', from: 'const session = value;', to: "const session = { amr: ['pwd'], ...value };" },
];

/** Changes of the code that take a defence away, the attacks that are made, and those that get through. */
interface Weakened {
  readonly changes: readonly Change[];
  readonly only: readonly string[];
  readonly fails: readonly string[];
}

const COOKIES = ['race for one code', 'session after signing out', 'replaced code', 'planted cookies'];
const planted = (change: Change): Weakened => ({ changes: [change], only: COOKIES, fails: ['planted cookies'] });

// Other defences are taken away through ports, in test/attack/attacks/all.test.ts.
const weakened: Record<string, Weakened> = {
  'one key for all purposes, and no validation of what was sealed': {
    changes: [{ file: 'seal/keys.js', from: `\`doorcode \${purpose} v1\``, to: "'doorcode v1'" }, ...anySession],
    only: ['race for one code', 'replay', 'cookie swap'],
    fails: ['cookie swap'],
  },
  'no cross-site rule': {
    changes: [{ file: 'http/cross-site.js', from: '!SAFE_METHODS.has(request.method) &&', to: 'false &&' }],
    only: ['cross-site posts'],
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
    only: ['header spoofing', 'race for one code', 'open redirects'],
    // The links for gateways go by the same rule.
    fails: ['header spoofing', 'open redirects'],
  },
  'codes that never expire': {
    changes: [
      { file: 'sign-in/verify.js', from: 'now >= challenge.exp * 1000', to: 'false' },
      { file: 'challenge/challenge.js', from: 'now >= exp', to: 'false' },
    ],
    only: ['expired code'],
    fails: ['expired code'],
  },
  'signing out that forgets the cookie only': {
    changes: [{ file: 'session/routes.js', from: 'revocation.revoke(id, exp)', to: 'null' }],
    only: ['race for one code', 'session after signing out'],
    fails: ['session after signing out'],
  },
  'the first session that opens, valid or not': planted({
    file: 'session/current.js',
    from: "cookies.openAll(request, 'session')",
    to: "cookies.openAll(request, 'session').slice(0, 1)",
  }),
  'sessions of two users, of which the first counts': planted({
    file: 'session/current.js',
    from: 'valid.length > 1 &&',
    to: 'false &&',
  }),
  'signing out that ends one session of several': planted({
    file: 'session/current.js',
    from: "validAmong(cookies.openAnyName(request, 'session'), validity)",
    to: "validAmong(cookies.openAnyName(request, 'session'), validity).then((valid) => valid.slice(0, 1))",
  }),
  'cookies of which eight are tried': planted({
    file: 'seal/cookies.js',
    from: 'if (pair.length >= start.length + MIN_SEALED_LENGTH)',
    to: 'if (header.slice(0, at).split(start).length <= 8)',
  }),
  'the first challenge, used or not': planted({
    file: 'pages/sign-in-pages.js',
    from: 'valid.length > 1',
    to: 'false',
  }),
  'a challenge for every subdomain': planted({
    file: 'seal/cookies.js',
    from: '(shared && domain ? { domain } : {})',
    to: "{ domain: 'example.com' }",
  }),
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
};

for (const [what, { changes, only, fails }] of Object.entries(weakened)) {
  t.test(`attacks get through: ${what}`, async (t) => {
    const build = await testBuild(t, changes);
    const inbox = await inboxSettings();
    const { url } = await build.start({ ...inbox.env, USERS_FILE: await usersFile(t, cheapHash) });
    const { findings, exitCode, lines } = await attackAt(url, inbox.port, build.clock, {
      accounts: ACCOUNTS,
      attacks: attacks.filter(({ name }) => only.includes(name)),
    });
    t.strictSame(named(findings, 'failed'), fails, lines.join('\n'));
    t.strictSame(named(findings, 'skipped'), [], lines.join('\n'));
    t.equal(exitCode, 1);
  });
}

/** An app behind deploy/nginx.conf, with some of its lines replaced, or with another setting of the service. */
interface Behind {
  readonly gateway?: readonly (readonly [from: string, to: string])[];
  /** What assertions are for, whichever app they are for. */
  readonly audience?: 'the login page';
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
    skipped: ON_AN_APP.slice(1),
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
    audience: 'the login page',
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

/** The attacks on an app, and the one that leaves a session for them. */
const onAnApp = attacks.filter(({ name }) => ['race for one code', ...ON_AN_APP].includes(name));

t.test('an app behind nginx', async (t) => {
  const nginx = program(t, 'nginx');
  if (nginx === null) return;
  const build = await testBuild(t);
  const inbox = await inboxSettings();
  const port = await freePort();
  const tls = createTestTls();
  const env = {
    ...inbox.env,
    TRUST_PROXY: 'loopback',
    ALLOWED_RETURN_ORIGINS: `https://localhost:${port},https://other.localhost:${port}`,
    ASSERTION_KEY: Buffer.alloc(32, 2).toString('base64'),
  };
  const { url } = await build.start(env);
  const apps = {
    'agrees to everything': await startEchoApp(t),
    'repeats its headers': await startLoopbackServer(t, ({ headers }, response) => {
      response.end(JSON.stringify(headers));
    }),
    'says nothing': await startLoopbackServer(t, (_visit, response) => void response.end('hello')),
  };

  for (const [what, behind] of Object.entries(behindNginx)) {
    const { gateway = [], audience, app = 'agrees to everything', fails, skipped = [] } = behind;
    await t.test(`${fails.length > 0 ? 'attacks get through' : 'all attacks are refused'}: ${what}`, async (t) => {
      // The phone is sent few codes in ten minutes.
      build.clock.advance(3600);
      const service = audience === undefined ? url : await startForLoginPage(build, env);
      const host = new URL(service).host;
      const running = await startGateway('nginx', nginx, {
        port,
        replicas: [host, host],
        app: new URL(apps[app].url).host,
        tls,
        changes: [
          ['server_name app.example.com;', 'server_name localhost;'],
          [`$public_host app.example.com:${port};`, `$public_host localhost:${port};`],
          ...gateway,
        ],
      });
      t.teardown(() => running.stop());
      const { findings, exitCode, lines } = await attackAt(service, inbox.port, build.clock, {
        app: `https://localhost:${port}/`,
        ca: tls.ca,
        attacks: onAnApp,
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
});

/** A service whose assertions are for its own origin, which is every app's login page. */
async function startForLoginPage(build: TestBuild, env: Record<string, string>): Promise<string> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  await build.start({ ...env, PORT: `${port}`, ORIGIN: origin, ASSERTION_AUDIENCE: origin });
  return origin;
}
