import { readFileSync } from 'node:fs';
import t from 'tap';

// Published advisories about services of this kind, and the tests that verify that this service does not have the fault.

interface Advisory {
  /** What went wrong there. */
  readonly fault: string;
  /** Files below test/ with the names of their tests, as they are written there, `{path}` for a name with a variable. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
}

const advisories: Record<string, Advisory> = {
  'CVE-2026-78655': {
    fault: 'attempts are counted in a cookie that the client can put back',
    tests: {
      'sign-in/verify.test.ts': ['an older cookie put back after four wrong codes gets one more guess, not five'],
    },
  },
  'CVE-2026-128332': {
    fault: 'the count begins again with a new login or a new code',
    tests: { 'sign-in/verify.test.ts': ['ten wrong codes in a row lock the account, whatever the challenges'] },
  },
  'CVE-2026-35597': {
    fault: 'the lock of an account is lost when its store fails for a moment',
    tests: {
      'sign-in/verify.test.ts': [
        'a lock that the store missed comes with the next guess, and then there is no new login',
      ],
      'limits/policy.test.ts': [
        'a row that nobody judged, because the store or the process went away, ends in a lock like any other',
      ],
    },
  },
  'CVE-2024-21662': {
    fault: 'a flood of made-up names pushes a counter out',
    tests: {
      'limits/flood.test.ts': [
        'logins with made-up names and addresses: bounded tables, and no count of a victim is lost',
      ],
    },
  },
  'CVE-2024-4629': {
    fault: 'parallel tries outrun the counter',
    tests: {
      'sign-in/verify.test.ts': ['fifty parallel wrong codes: five are compared'],
      'limits/policy.test.ts': ['parallel passwords do not outrun the count'],
    },
  },
  'CVE-2026-43930': {
    fault: 'a code is accepted twice at the same moment',
    tests: { 'sign-in/verify.test.ts': ['fifty parallel posts of the right code give exactly one session'] },
  },
  'CVE-2026-9798': {
    fault: 'another route leads around the lock of an account',
    tests: { 'sign-in/verify.test.ts': ['no route leads around the lock of an account'] },
  },
  'CVE-2025-64102': {
    fault: 'guesses through the API are unlimited',
    tests: {
      'verifications/check.test.ts': [
        'what a check can turn out to be',
        'ten wrong codes in a row lock a number, for the one key',
      ],
      'limits/policy.test.ts': ['parallel guesses do not outrun the count'],
    },
  },
  'CVE-2026-105211': {
    fault: 'the code is returned to the caller',
    tests: {
      'secrets.test.ts': [
        'no answer, log line or cookie holds the password, a code, a secret, a key or a whole number',
      ],
      'verifications/routes.test.ts': ['a number is proved once, by the code that was sent to it'],
    },
  },
  'CVE-2025-55000': {
    fault: 'a used code is another one with a blank behind it',
    tests: {
      'http/bad-input.test.ts': ['what is sent is refused by name, and none of it is told back'],
      'sign-in/verify.test.ts': ['a code signs in once: its cookie put back is refused, with any code'],
    },
  },
  'CVE-2024-8796': {
    fault: 'the secret is too short',
    tests: {
      'challenge/totp.test.ts': ['a secret is 20 bytes of the given randomness in base32 without padding'],
      'challenge/challenge.test.ts': ['a challenge follows its draft, and renewing replaces id, secret and code'],
      'secrets.test.ts': ['the password is not kept between the factors, not even in the sealed challenge'],
    },
  },
  'CVE-2024-31999': {
    fault: 'a session that was ended lives on in its cookie',
    tests: {
      'session/routes.test.ts': [
        'signing out revokes the session wherever its cookie is, and closes an open challenge',
      ],
      'session/revocation.test.ts': ['a revoked session stays revoked for as long as it could have lived'],
    },
  },
  'GHSA-xg6x-h9c9-2m83': {
    fault: 'a session is valid before the second factor',
    tests: {
      'gateway/routes.test.ts': ['{path} says 401 and nothing of anybody to everyone else, whatever they send'],
      'session/routes.test.ts': ['the signed-in page is for the signed-in; others are sent to log in'],
    },
  },
  'CVE-2020-15105': {
    fault: 'the password is kept between the factors',
    tests: {
      'secrets.test.ts': ['the password is not kept between the factors, not even in the sealed challenge'],
    },
  },
  'CVE-2026-47203': {
    fault: 'letter case splits the count',
    tests: {
      'sign-in/login.test.ts': [
        'spellings of a name, addresses of one IPv6 /64 and IPv4 written as IPv6 share a count',
      ],
      'limits/policy.test.ts': [
        'spellings of a name share one count, other names have their own',
        'spellings that a directory may take for one name share the count of its wrong passwords',
      ],
    },
  },
  'CVE-2026-45364': {
    fault: 'each address of one IPv6 network has a count of its own',
    tests: {
      'sign-in/login.test.ts': [
        'spellings of a name, addresses of one IPv6 /64 and IPv4 written as IPv6 share a count',
      ],
      'limits/policy.test.ts': ['wrong passwords and sends from a /48 are limited, over all its networks'],
      'address.test.ts': ['IPv6 counts by its first 64, 56 and 48 bits, the wider ones with larger limits'],
    },
  },
  'CVE-2025-64526': {
    fault: 'the limit is counted by a field that the client chooses',
    tests: {
      'http/bad-input.test.ts': ['what is sent is refused by name, and none of it is told back'],
      'sign-in/login.test.ts': ['neither the channel nor the target splits the count of wrong passwords'],
    },
  },
  'CVE-2023-38507': {
    fault: 'the limit does not know a path in escapes',
    tests: { 'sign-in/login.test.ts': ['no other spelling of the path leads around the limit'] },
  },
  'CVE-2026-33640': {
    fault: 'the limiter is off by default',
    tests: {
      'config.test.ts': ['development needs no setting at all'],
      'attack/run.test.ts': ['a default start with a webhook passes, and again a moment later'],
      'system/attack/attacks/all.test.ts': [
        'with two accounts only attacks on an app are skipped, and everything is refused',
      ],
    },
  },
  'CVE-2024-47070': {
    fault: 'an X-Forwarded-For that cannot be read is no address to count by',
    tests: {
      'http/client-address.test.ts': ['what a proxy passes on that is no address does not become a name to count by'],
      'sign-in/login.test.ts': [
        'a client’s own X-Forwarded-For changes nothing unless its peer is trusted; nonsense is no way around',
      ],
    },
  },
  'CVE-2026-3635': {
    fault: 'the service believes a host that the client makes up',
    tests: {
      'app.test.ts': ['a host that the client makes up is in no answer and in no message'],
      'gateway/login-link.test.ts': ['whatever a gateway hands on, nobody is led elsewhere'],
    },
  },
  'CVE-2026-25223': {
    fault: 'a tab in Content-Type leaves the body unchecked',
    tests: { 'http/bad-input.test.ts': ['a tab in Content-Type leaves no body unchecked'] },
  },
  'CVE-2023-7028': {
    fault: 'a list where one value is expected sends the code to another person too',
    tests: {
      'http/bad-input.test.ts': ['what is sent is refused by name, and none of it is told back'],
      'verifications/routes.test.ts': ['bad input is told, and costs nothing'],
    },
  },
  'CVE-2021-32637': {
    fault: 'a null byte in X-Original-URL lets everyone through',
    tests: { 'gateway/routes.test.ts': ['no URL that a header claims opens a door'] },
  },
  'CVE-2026-30851': {
    fault: 'an identity header that is missing from the answer is kept from the client',
    tests: {
      'gateway/routes.test.ts': [
        '{path} without a key says who is there, unsigned',
        '{path} says 401 and nothing of anybody to everyone else, whatever they send',
      ],
    },
  },
  'CVE-2025-64484': {
    fault: 'with underscores a header has two names',
    tests: {
      'gateway/routes.test.ts': ['{path} without a key says who is there, unsigned'],
      'deploy/files.test.ts': [
        'traefik.yaml asks before the app, and takes from the client what only we may say',
        'no header has two names behind a gateway, and a client takes none away',
      ],
      'system/deploy/gateways.test.ts': ['the app hears of a person from us only', 'headers'],
    },
  },
  'CVE-2024-45410': {
    fault: 'a Connection header takes away what the gateway added',
    tests: {
      'http/client-address.test.ts': ['a Connection header of the client takes nothing away'],
      'deploy/files.test.ts': ['no header has two names behind a gateway, and a client takes none away'],
      'system/deploy/gateways.test.ts': ['no protocol but WebSocket reaches the app, and no tunnel'],
    },
  },
  'CVE-2021-29456': {
    fault: 'a link redirects anywhere after the sign-in',
    tests: {
      'gateway/return-to.test.ts': [
        'anything else leads home',
        'the sign-in goes where the rule says, by page, form and JSON',
      ],
    },
  },
  'CVE-2024-45042': {
    fault: 'one factor is taken for two',
    tests: {
      'verifications/routes.test.ts': [
        'a code of the API is no second factor of a login, not even to the same phone',
        'an id is good as an id only, and nothing else as one',
      ],
    },
  },
};

const linked = Object.entries(advisories).flatMap(([id, { tests }]) =>
  Object.entries(tests).flatMap(([file, names]) => names.map((name) => ({ id, file, name }))),
);

t.test('each test that verifies an advisory exists', async (t) => {
  for (const { id, file, name } of linked) {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8');
    const starts = [...source.matchAll(/\bt\.test\(\s*(['"`])(.+?)\1,/g)].map(([, , written = '']) =>
      written.replaceAll('${', '{'),
    );
    t.ok(starts.includes(name), `${id}: ${file}: ${name}`);
  }
});

t.test('each advisory is linked to a test, by the form of its id', async (t) => {
  for (const [id, { tests }] of Object.entries(advisories)) {
    t.match(id, /^(?:CVE-\d{4}-\d+|GHSA(?:-[a-z0-9]{4}){3})$/);
    t.ok(Object.values(tests).flat().length > 0, id);
  }
});
