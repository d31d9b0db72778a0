import t from 'tap';
import { readConfig } from '../../src/config.ts';
import { noEvents } from '../../src/events.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { createPolicy } from '../../src/limits/policy.ts';
import { login } from '../../src/sign-in/login.ts';
import type { SignInPorts } from '../../src/sign-in/ports.ts';
import { untraced } from '../../src/trace.ts';
import { fakeClock } from '../support/fake-clock.ts';

/** A thousandth of the room that the service has: counters of a rule, and buckets beside them. */
const ROOM = 50;
const BUCKETS = 1048;
/** Twelve times as many as fill a table. */
const LOGINS = 600;

/** A service whose user directory knows nobody. */
function setUp() {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => ROOM, overflowBuckets: BUCKETS });
  const config = readConfig({});
  const policy = createPolicy(limits, { ...config.limits, challengeTtlSeconds: 670 }, clock);
  const ports: SignInPorts = {
    policy,
    clock,
    random: (length) => new Uint8Array(length),
    settings: config,
    directory: { authenticate: async () => null },
    delivery: { channels: ['sms'], deliver: async () => ({ sender: 'test' }) },
    compose: (outgoing) => ({ ...outgoing, text: '' }),
    events: noEvents,
  };
  const tryLogin = (username: string, address: string): Promise<string> =>
    login(ports, {
      username,
      password: 'guess',
      address,
      channel: 'sms',
      next: '/',
      locale: 'en',
      trace: untraced,
    }).then(
      () => 'in',
      (error) => error.code,
    );
  const flood = async () => {
    const answers = new Set<string>();
    // Each login has a name and a /48 of its own, so that no limit of addresses refuses it before its name is counted.
    for (let index = 0; index < LOGINS; index += 1) {
      answers.add(await tryLogin(`made-up user ${index}`, `3fff:0:${index.toString(16)}::1`));
    }
    return answers;
  };
  return { clock, limits, policy, tryLogin, flood };
}

t.test('logins with made-up names and addresses: bounded tables, and no count of a victim is lost', async (t) => {
  const { limits, policy, tryLogin, flood } = setUp();
  const victim = { id: 'challenge of the victim', sub: 'victim' };
  for (let guess = 0; guess < 4; guess += 1) await policy.wrong(victim, await policy.guess(victim));
  for (let guess = 0; guess < 4; guess += 1) t.equal(await tryLogin('victim', '192.0.2.1'), 'invalid_credentials');

  const answers = await flood();
  answers.delete('too_many_requests');
  t.strictSame([...answers], ['invalid_credentials'], 'beside full tables logins are counted, and at worst refused');
  for (const rule of ['password-address/3600', 'password-pair/900', 'password-user/3600']) {
    t.equal(limits.size(rule), ROOM, rule);
  }
  t.equal((await policy.guess(victim)).attemptsLeft, 0, 'four wrong codes are still four: one guess was left');
  await t.rejects(policy.guess(victim), { code: 'otp_attempts_exhausted' });
  t.equal(await tryLogin('victim', '192.0.2.1'), 'invalid_credentials', 'four wrong passwords are still four');
  t.equal(await tryLogin('victim', '192.0.2.1'), 'too_many_requests');
});

t.test('a name that is first counted during a flood is limited as well, and most people get in', async (t) => {
  const { clock, limits, policy, tryLogin, flood } = setUp();
  await flood();
  const answers: string[] = [];
  for (let guess = 0; guess < 6; guess += 1) answers.push(await tryLogin('late victim', '192.0.2.1'));
  t.equal(answers.at(-1), 'too_many_requests', 'five wrong passwords at most');

  // Users with a right password, who have no counter yet.
  let admitted = 0;
  for (let index = 0; index < 100; index += 1) {
    const permit = await policy.password(`stranger ${index}`, `198.51.100.${index}`).catch(() => null);
    if (permit === null) continue;
    admitted += 1;
    await permit.giveBack();
  }
  t.ok(admitted >= 80, `${admitted} of 100 strangers`);
  t.equal(limits.size('password-user/3600'), ROOM);

  clock.advance(3600);
  t.equal(await tryLogin('alice', '192.0.2.1'), 'invalid_credentials');
  t.equal(limits.size('password-user/3600'), 1, 'when the counters of the flood have ended, there is room again');
});
