import t from 'tap';
import { attacks } from '../../../src/attack/attacks/all.ts';
import { DoorcodeError } from '../../../src/errors.ts';
import type { AddOptions, Limits } from '../../../src/limits/limits.ts';
import { KEY_BYTES, purposes, type SealKeys } from '../../../src/seal/keys.ts';
import { ACCOUNTS, attackedApp, type Weakness } from '../../support/attacked-app.ts';
import { attackAt, named, ON_AN_APP } from '../../support/attacking.ts';
import { coercingSchemaController } from '../../support/schema-controller.ts';

// Defences that can be taken away without a change of the code. The others are in test/system/attack/attacks/.

t.test('each attack has a name of its own', async (t) => {
  t.equal(new Set(attacks.map(({ name }) => name)).size, attacks.length);
});

interface Weakened extends Weakness {
  /** The attacks that get through. */
  readonly fails: readonly string[];
  /** The attacks that are made; all if absent. */
  readonly only?: readonly string[];
}

/** Counts events of a rule under another key each time. */
const countedAnew =
  (wanted: (rule: string) => boolean) =>
  ({ add }: Limits): Partial<Limits> => {
    let events = 0;
    return {
      add(rule, key, ttlSeconds, options) {
        events += 1;
        return add(rule, wanted(rule) ? `${key} ${events}` : key, ttlSeconds, options);
      },
    };
  };

/** Never reports more events of a rule than `most`. */
const countedUpTo =
  (most: number, wanted: (rule: string) => boolean) =>
  ({ add }: Limits): Partial<Limits> => ({
    async add(rule, key, ttlSeconds, options?: AddOptions) {
      const counted = await add(rule, key, ttlSeconds, options);
      return wanted(rule) ? { ...counted, count: Math.min(counted.count, most) } : counted;
    },
  });

/** Every claim of a rule succeeds, and nothing is remembered of it. */
const alwaysClaimed =
  (wanted: string) =>
  ({ claim }: Limits): Partial<Limits> => ({
    claim: async (rule, key, ttlSeconds) => rule === wanted || claim(rule, key, ttlSeconds),
  });

const oneKey = Object.fromEntries(
  purposes.map((purpose) => [purpose, [Buffer.alloc(KEY_BYTES, 7)]]),
) as unknown as SealKeys;

const weakened: Record<string, Weakened> = {
  'all defences': { fails: [] },
  'guesses that are counted, but have no bound': {
    limits: countedUpTo(5, (rule) => rule === 'guesses'),
    fails: ['brute force in parallel'],
  },
  'guesses that are counted anew with each request': {
    limits: countedAnew((rule) => rule === 'guesses'),
    fails: ['brute force', 'cookie rollback', 'brute force in parallel'],
  },
  'codes that sign in more than once': {
    limits: alwaysClaimed('closed'),
    fails: ['race for one code', 'replay', 'replaced code'],
  },
  'one key for all purposes, while the content of a cookie is validated': {
    ports: { keys: oneKey },
    fails: [],
  },
  'no hash for unknown users': { noDecoy: true, fails: ['user enumeration by time'] },
  'no hash for unknown users, far away': {
    noDecoy: true,
    roundTripMs: 200,
    only: ['user enumeration by time'],
    fails: ['user enumeration by time'],
  },
  'a hash for all users, far away': { roundTripMs: 200, only: ['user enumeration by time'], fails: [] },
  'wrong codes of an account that are forgotten with each code': {
    limits: countedAnew((rule) => rule === 'failures'),
    only: ['guessing over many codes'],
    fails: ['guessing over many codes'],
  },
  'codes that never expire, because time stands still': {
    frozen: true,
    only: ['expired code'],
    fails: ['expired code'],
  },
  'limits that only count': {
    limits: countedUpTo(1, (rule) => /^(?:send|password)-/.test(rule)),
    only: ['send bombing', 'password guessing'],
    fails: ['send bombing', 'password guessing'],
  },
  'a pause between two codes that is announced, and not kept': {
    limits: countedAnew((rule) => rule.startsWith('send-cooldown/')),
    only: ['send bombing'],
    fails: ['send bombing'],
  },
  'no pause between two codes, and none announced: the limit over minutes holds': {
    env: { RESEND_COOLDOWN: '0', MAX_GUESS_RISK: '1' },
    only: ['send bombing'],
    fails: [],
  },
  'addresses that any client may claim': {
    env: { TRUST_PROXY: 'loopback' },
    only: ['password guessing'],
    fails: ['password guessing'],
  },
  'a key that is public': {
    env: { SESSION_KEYS: Buffer.alloc(32).toString('base64') },
    only: ['foreign and tampered cookies'],
    fails: ['foreign and tampered cookies'],
  },
  'types that are coerced': {
    ports: { schemaController: coercingSchemaController },
    only: ['malformed input'],
    fails: ['malformed input'],
  },
  'an identity header that is kept from the client': {
    change(app) {
      app.addHook('onSend', async (request, reply) => {
        const forged = request.headers['remote-user'];
        if (reply.getHeader('remote-user') === '' && forged !== undefined) reply.header('remote-user', forged);
      });
    },
    only: ['header spoofing'],
    fails: ['header spoofing'],
  },
  'the whole number in an answer': {
    ports: { mask: (phone) => phone },
    only: ['send bombing', 'secrets in answers'],
    fails: ['secrets in answers'],
  },
  'unknown users that get another answer': {
    directory: ({ authenticate }) => ({
      async authenticate(username, password) {
        if (ACCOUNTS.every((account) => account.username !== username)) throw new DoorcodeError('invalid_request');
        return authenticate(username, password);
      },
    }),
    only: ['user enumeration by bytes'],
    fails: ['user enumeration by bytes'],
  },
};

for (const [what, { fails, only, ...weakness }] of Object.entries(weakened)) {
  t.test(`${fails.length > 0 ? 'attacks get through' : 'all attacks are refused'}: ${what}`, async (t) => {
    const { url, inboxPort, clock, now } = await attackedApp(t, weakness);
    const { findings, exitCode, lines } = await attackAt(url, inboxPort, clock, {
      accounts: ACCOUNTS,
      now,
      ...(only === undefined ? {} : { attacks: attacks.filter(({ name }) => only.includes(name)) }),
    });
    t.strictSame(named(findings, 'failed'), fails, lines.join('\n'));
    t.strictSame(named(findings, 'skipped'), only === undefined ? ON_AN_APP : [], lines.join('\n'));
    t.equal(findings.length, only?.length ?? attacks.length);
    t.equal(exitCode, fails.length > 0 ? 1 : 0);
  });
}
