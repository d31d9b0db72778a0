import fc from 'fast-check';
import t, { type Test } from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import type { Limits } from '../../src/limits/limits.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { createRedisLimits, type RedisLimits } from '../../src/limits/redis.ts';
import { silentLog } from '../../src/log.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { type CookieJar, seededRandom, type TestApp, testApp, wrongCode } from '../support/build-app.ts';
import { type FakeClock, fakeClock } from '../support/fake-clock.ts';
import { startRedis } from '../support/redis.ts';

const GUESSES = 5;

/** What happens to the service; `who` picks one of the challenges so far, whose cookie was kept. */
const event = fc.oneof(
  { weight: 2, arbitrary: fc.record({ what: fc.constant('login' as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('resend' as const), who: fc.nat(9) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('wrong' as const),
      who: fc.nat(9),
      times: fc.integer({ min: 1, max: 8 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('right' as const),
      who: fc.nat(9),
      times: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('outage' as const), away: fc.boolean() }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** One challenge as the model sees it: the ten lines that the service is held against. */
interface Modelled {
  readonly jar: CookieJar;
  readonly code: string;
  readonly expiresAtMs: number;
  compared: number;
  successes: number;
  closed: boolean;
}
const mayCompare = (c: Modelled, nowMs: number) => !c.closed && c.compared < GUESSES && nowMs < c.expiresAtMs;

let worlds = 0;

interface World {
  readonly apps: readonly [TestApp, TestApp];
  readonly clock: FakeClock;
  readonly setAway: (away: boolean) => void;
}

async function run(world: World, events: readonly Event[]): Promise<void> {
  const { apps, clock, setAway } = world;
  const challenges: Modelled[] = [];
  let away = false;
  let turn = 0;
  const app = () => apps[turn++ % 2] as TestApp;
  const opened = (jar: CookieJar, code: string) =>
    challenges.push({ jar, code, expiresAtMs: clock() + 60_000, compared: 0, successes: 0, closed: false });
  const pick = (who: number) => challenges[who % challenges.length];
  const say = (fact: boolean, text: string) => {
    if (!fact) throw new Error(text);
  };

  for (const happening of events) {
    if (happening.what === 'pass') clock.advance(happening.seconds);
    else if (happening.what === 'outage') {
      away = happening.away;
      setAway(away);
    } else if (happening.what === 'login') {
      const { jar, code, response } = await app().login();
      say(response.statusCode === (away ? 503 : 200), `login: ${response.body}`);
      if (!away) opened(jar, code);
    } else {
      const challenge = pick(happening.who);
      if (challenge === undefined) continue;
      if (happening.what === 'resend') {
        const jar = challenge.jar.clone();
        const replica = app();
        const response = await replica.post('/otp/resend', {}, jar);
        if (away) say([503, 401].includes(response.statusCode), `resend, store away: ${response.body}`);
        else if (response.statusCode === 200) {
          say(!challenge.closed, 'a closed challenge was renewed');
          challenge.closed = true;
          opened(jar, replica.messages.at(-1)?.code ?? '');
        }
        continue;
      }
      const otp = happening.what === 'right' ? challenge.code : wrongCode(challenge.code);
      const open = mayCompare(challenge, clock());
      const responses = await Promise.all(
        Array.from({ length: happening.times }, () => app().post('/otp', { otp }, challenge.jar.clone())),
      );
      const statuses = responses.map(({ statusCode }) => statusCode);
      const compared = statuses.filter((status) => status === 200 || status === 403).length;
      challenge.compared += compared;
      challenge.successes += statuses.filter((status) => status === 200).length;
      if (challenge.successes > 0) challenge.closed = true;
      say(open || compared === 0, `compared although it was closed, spent or over: ${statuses}`);
      say(!away || compared === 0, `compared without a store: ${statuses}`);
      if (open && !away) {
        say(compared >= 1, `an open challenge was not compared: ${statuses}`);
        if (happening.what === 'wrong') {
          const left = GUESSES - (challenge.compared - compared);
          say(compared === Math.min(happening.times, left), `${compared} compared of ${happening.times}, ${left} left`);
        } else say(challenge.successes === 1, `the right code did not sign in: ${statuses}`);
      }
      say(challenge.compared <= GUESSES, `${challenge.compared} comparisons`);
      say(challenge.successes <= 1, `${challenge.successes} successes`);
    }
  }
}

/** A store that can be taken away from a replica without being stopped. */
function interruptible(limits: Limits, isAway: () => boolean): Limits {
  return new Proxy(limits, {
    get:
      (target, name: keyof Limits) =>
      (...args: never[]) => {
        if (isAway()) throw new DoorcodeError('limits_unavailable');
        return (target[name] as (...args: never[]) => unknown)(...args);
      },
  });
}

async function world(stores: (clock: FakeClock) => Promise<[Limits, Limits]>): Promise<World> {
  const clock = fakeClock();
  let away = false;
  const keys = deriveKeys([Buffer.alloc(32, 1)]);
  const make = (limits: Limits, name: string) =>
    testApp({
      clock,
      env: { LIMIT_ACCOUNT_FAILURES: 'off', LIMIT_SEND_ADDRESS: 'off', MAX_GUESS_RISK: '1', LOG_LEVEL: 'silent' },
      ports: { keys, limits: interruptible(limits, () => away), random: seededRandom(name) },
    });
  const [a, b] = await stores(clock);
  // Ids must differ from run to run, because Redis remembers.
  worlds += 1;
  return {
    apps: [await make(a, `a ${worlds}`), await make(b, `b ${worlds}`)],
    clock,
    setAway: (value) => {
      away = value;
    },
  };
}

async function hold(t: Test, make: () => Promise<World>) {
  const property = fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), async (events) =>
    run(await make(), [{ what: 'login' }, ...events]),
  );
  const result = await fc.check(property, { numRuns: 60, seed: 20_300_101 });
  t.equal(result.failed, false, result.failed ? (fc.defaultReportMessage(result) ?? '') : `${result.numRuns} runs`);
}

t.setTimeout(300_000);

t.test('memory: whatever happens in whatever order, five comparisons and one success a challenge', async (t) => {
  await hold(t, () =>
    world(async (clock) => {
      // Memory is one replica's own: both apps stand for one process.
      const limits = createMemoryLimits({ clock });
      return [limits, limits];
    }),
  );
});

t.test('redis: the same over two replicas', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  let current: () => number = fakeClock();
  const connect = () =>
    createRedisLimits({ url: redis.url, clock: () => current(), log: silentLog, timeoutMs: 10_000 });
  const connections: [RedisLimits, RedisLimits] = [connect(), connect()];
  t.teardown(() => Promise.all(connections.map((limits) => limits.close())));
  await Promise.all(connections.map((limits) => limits.connected(5000)));
  await hold(t, () =>
    world(async (own) => {
      current = own;
      return connections;
    }),
  );
});
