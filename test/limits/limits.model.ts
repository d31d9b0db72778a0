import fc from 'fast-check';
import type { Test } from 'tap';
import { readConfig } from '../../src/config.ts';
import { DoorcodeError } from '../../src/errors.ts';
import type { Limits } from '../../src/limits/limits.ts';
import { type Countable, createPolicy, type Guess, type LimitSettings } from '../../src/limits/policy.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { type CookieJar, seededRandom, type TestApp, testApp, wrongCode } from '../support/build-app.ts';
import type { FakeClock } from '../support/fake-clock.ts';

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

/** One challenge as the model sees it. */
interface Modelled {
  readonly jar: CookieJar;
  readonly code: string;
  readonly expiresAtMs: number;
  compared: number;
  successes: number;
  closed: boolean;
}
const mayCompare = (c: Modelled, nowMs: number) => !c.closed && c.compared < GUESSES && nowMs < c.expiresAtMs;

/** Accounts and challenges differ from run to run, because the store remembers them. */
let runs = 0;

/** Two replicas of a service, which are used again and again with fresh challenges. */
interface World {
  readonly apps: readonly [TestApp, TestApp];
  readonly clock: FakeClock;
  readonly setAway: (away: boolean) => void;
}

async function run(world: World, events: readonly Event[]): Promise<void> {
  const { apps, clock, setAway } = world;
  setAway(false);
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

/** What happens to one account, whose challenges are all fresh; `calls` is how much longer the store answers. */
const lockEvent = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ what: fc.constant('wrong' as const), times: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('right' as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('crash' as const), times: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('outage' as const), calls: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('back' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('limit' as const), failures: fc.integer({ min: 1, max: 10 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('pass' as const), seconds: fc.constantFrom(1, 5, 60, 900, 3600, 86_400) }),
  },
);
type LockEvent = typeof lockEvent extends fc.Arbitrary<infer T> ? T : never;

/**
 * However an account was guessed at, and whenever the store or a process went away: the row is never longer than the
 * limit, a refusal that lasts is a lock that every part of the service sees, and who waits as long as told gets in.
 */
async function runLocks(limits: Limits, clock: FakeClock, events: readonly LockEvent[]): Promise<void> {
  let callsLeft = Number.POSITIVE_INFINITY;
  const store = interruptible(limits, () => callsLeft-- <= 0);
  let max = 10;
  /** Guesses compared since the last success or lock. */
  let row = 0;
  let comparedAtMs = 0;
  let challenges = 0;
  runs += 1;
  const sub = `user ${runs}`;
  const fresh = () => ({ id: `challenge ${runs} ${challenges++}`, sub });
  const policy = () => createPolicy(store, { ...lockSettings, accountFailures: max }, clock);
  const codeOf = (error: unknown) => (error instanceof DoorcodeError ? error.code : String(error));
  const isLocked = () =>
    policy()
      .assertUnlocked(sub)
      .then(
        () => false,
        (error) => codeOf(error) === 'account_locked',
      );

  async function guess(then: (challenge: Countable, guess: Guess) => Promise<void>): Promise<string> {
    const challenge = fresh();
    try {
      const counted = await policy().guess(challenge);
      row += 1;
      comparedAtMs = clock();
      if (row > max) throw new Error(`${row} guesses in a row, ${max} allowed`);
      await then(challenge, counted);
      return 'compared';
    } catch (error) {
      return codeOf(error);
    } finally {
      if (callsLeft === Number.POSITIVE_INFINITY && (await isLocked())) row = 0;
    }
  }
  const wrong = () =>
    guess(async (challenge, counted) => {
      await policy().wrong(challenge, counted);
    });
  const right = () =>
    guess(async (challenge) => {
      await policy().succeed(challenge);
      row = 0;
    });
  const expected = ['compared', 'account_locked', 'limits_unavailable'];

  for (const happening of events) {
    if (happening.what === 'pass') {
      clock.advance(happening.seconds);
      // A row ends when no code has come for a day.
      if (clock() - comparedAtMs >= 86_400_000) row = 0;
    } else if (happening.what === 'back') callsLeft = Number.POSITIVE_INFINITY;
    else if (happening.what === 'outage') callsLeft = happening.calls;
    else if (happening.what === 'limit') {
      max = happening.failures;
      row = 0;
    } else {
      const act = { wrong, right, crash: () => guess(async () => {}) }[happening.what];
      const times = 'times' in happening ? happening.times : 1;
      for (let time = 0; time < times; time += 1) {
        const answer = await act();
        if (!expected.includes(answer)) throw new Error(answer);
      }
    }
  }

  callsLeft = Number.POSITIVE_INFINITY;
  for (let refusals = 0; ; refusals += 1) {
    const refusal = await policy()
      .guess(fresh())
      .then(
        () => null,
        (error) => error as DoorcodeError,
      );
    if (refusal === null) return;
    const wait = refusal.retryAfterSeconds ?? 0;
    if (refusal.code !== 'account_locked') throw refusal;
    if (wait > 1 && !(await isLocked())) throw new Error(`refused for ${wait} s, but not locked`);
    if (refusals > 6) throw new Error(`still refused after ${refusals} waits`);
    clock.advance(wait);
  }
}

const lockSettings: LimitSettings = { ...readConfig({}).limits, challengeTtlSeconds: 670 };

/**
 * A store that can be taken away from a replica without being stopped. Each call takes a turn of the event loop, as calls
 * to a server do, so that parallel requests overlap.
 */
function interruptible(limits: Limits, isAway: () => boolean): Limits {
  return new Proxy(limits, {
    get:
      (target, name: keyof Limits) =>
      async (...args: never[]) => {
        await new Promise(setImmediate);
        if (isAway()) throw new DoorcodeError('limits_unavailable');
        return (target[name] as (...args: never[]) => unknown)(...args);
      },
  });
}

/** @param stores of the two replicas */
async function createWorld([a, b]: readonly [Limits, Limits], clock: FakeClock): Promise<World> {
  let away = false;
  const keys = deriveKeys([Buffer.alloc(32, 1)]);
  const make = (limits: Limits, name: string) =>
    testApp({
      clock,
      env: { LIMIT_ACCOUNT_FAILURES: 'off', LIMIT_SEND_ADDRESS: 'off', MAX_GUESS_RISK: '1', LOG_LEVEL: 'silent' },
      ports: { keys, limits: interruptible(limits, () => away), random: seededRandom(name) },
    });
  return {
    apps: [await make(a, 'a'), await make(b, 'b')],
    clock,
    setAway: (value) => {
      away = value;
    },
  };
}

export interface ModelOptions {
  /** How many random sequences of events are tried. They are the same each time. */
  readonly numRuns: number;
}

const SEED = 20_300_101;

/**
 * Whatever happens in whatever order, each challenge gets five comparisons and one success.
 *
 * @param stores of two replicas that share their counts
 */
export async function holdsChallenges(
  t: Test,
  stores: readonly [Limits, Limits],
  clock: FakeClock,
  { numRuns }: ModelOptions,
): Promise<void> {
  const world = await createWorld(stores, clock);
  const property = fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), (events) =>
    run(world, [{ what: 'login' }, ...events]),
  );
  const result = await fc.check(property, { numRuns, seed: SEED });
  t.equal(result.failed, false, result.failed ? (fc.defaultReportMessage(result) ?? '') : `${result.numRuns} runs`);
}

/** No row of wrong guesses is longer than the limit, and no account stays shut without a lock. */
export async function holdsLocks(t: Test, limits: Limits, clock: FakeClock, { numRuns }: ModelOptions): Promise<void> {
  const property = fc.asyncProperty(fc.array(lockEvent, { minLength: 1, maxLength: 40 }), (events) =>
    runLocks(limits, clock, events),
  );
  const result = await fc.check(property, { numRuns, seed: SEED });
  t.equal(result.failed, false, result.failed ? (fc.defaultReportMessage(result) ?? '') : `${result.numRuns} runs`);
}
