import t, { type Test } from 'tap';
import { createFallbackLimits } from '../../../src/limits/fallback.ts';
import type { Limits } from '../../../src/limits/limits.ts';
import { createMemoryLimits } from '../../../src/limits/memory.ts';
import { createRedisLimits } from '../../../src/limits/redis.ts';
import { silentLog } from '../../../src/log.ts';
import { deriveKeys } from '../../../src/seal/keys.ts';
import {
  ALICE,
  type CookieJar,
  PASSWORD,
  seededRandom,
  type TestApp,
  testApp,
  wrongCode,
} from '../../support/build-app.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { startHangingProxy } from '../../support/hanging-proxy.ts';
import { startRedis, TEST_KEYS } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const keys = deriveKeys([Buffer.alloc(32, 1)]);
let replicas = 0;

/** A connection that waits for answers as long as it must, unless a test is about waiting. */
async function connect(t: Test, url: string, clock: FakeClock, timeoutMs = 60_000) {
  // The timeout of answers is the only one that can end a wait.
  const limits = createRedisLimits({
    masterKeys: TEST_KEYS,
    url,
    clock,
    log: silentLog,
    timeoutMs,
    handshakeMs: 600_000,
  });
  t.teardown(() => limits.close());
  await limits.connected(60_000);
  return limits;
}

/** One replica of a service whose counts are in Redis, by its own connection. */
async function replica(
  t: Test,
  url: string,
  clock: FakeClock,
  { local = false, env = {} }: { local?: boolean; env?: Record<string, string> } = {},
): Promise<TestApp> {
  const redis = await connect(t, url, clock);
  const limits = local
    ? createFallbackLimits({ shared: redis, local: createMemoryLimits({ clock }), clock, log: silentLog })
    : redis;
  replicas += 1;
  return testApp({ clock, env, ports: { limits, keys, random: seededRandom(`replica ${replicas}`) } });
}

/** Runs the same posts over the replicas in turn, all at once. */
function spread(apps: readonly TestApp[], times: number, otp: string, jar: CookieJar) {
  return Promise.all(
    Array.from({ length: times }, (_, index) =>
      (apps[index % apps.length] as TestApp).post('/otp', { otp }, jar.clone()),
    ),
  );
}

const count = (responses: readonly { statusCode: number }[], status: number) =>
  responses.filter(({ statusCode }) => statusCode === status).length;

t.test('limits over two replicas and one Redis', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  let database = 0;
  const pair = async (t: Test, env: Record<string, string> = {}) => {
    database += 1;
    const clock = fakeClock();
    const url = `${redis.url}/${database}`;
    return { clock, apps: [await replica(t, url, clock, { env }), await replica(t, url, clock, { env })] as const };
  };

  t.test(
    '200 parallel wrong guesses with the original cookie: five are compared, and the right code comes too late',
    async (t) => {
      const { apps } = await pair(t);
      const { jar, code } = await apps[0].login();
      const responses = await spread(apps, 200, wrongCode(code), jar);
      t.equal(count(responses, 403), 5);
      t.equal(count(responses, 429), 195);
      t.strictSame(
        responses
          .filter(({ statusCode }) => statusCode === 403)
          .map((response) => response.json().attemptsLeft)
          .sort(),
        [0, 1, 2, 3, 4],
      );
      for (const app of apps) {
        t.equal((await app.post('/otp', { otp: code }, jar.clone())).json().code, 'otp_attempts_exhausted');
      }
    },
  );

  t.test('fifty parallel right codes: exactly one session', async (t) => {
    const { apps } = await pair(t);
    const { jar, code } = await apps[0].login();
    const responses = await spread(apps, 50, code, jar);
    t.equal(count(responses, 200), 1);
    const next = await apps[1].login();
    t.equal((await apps[0].post('/otp', { otp: next.code }, next.jar)).statusCode, 200, 'and no lock follows from it');
  });

  t.test(
    'ten wrong in a row lock the account, over challenges and replicas: 15 min, then 30; a success resets',
    async (t) => {
      const { apps, clock } = await pair(t);
      const [a, b] = apps;
      let turn = 0;
      const guess = async (times: number) => {
        for (let left = times; left > 0; ) {
          const { jar, code } = await (turn % 2 ? a : b).login();
          for (let tries = 0; tries < 4 && left > 0; tries += 1, left -= 1) {
            turn += 1;
            t.equal((await (turn % 2 ? a : b).post('/otp', { otp: wrongCode(code) }, jar)).statusCode, 403);
          }
        }
      };
      const before = await a.login();
      const wrongPassword = await a.post('/login', { username: 'alice', password: 'wrong' });
      for (const seconds of [900, 1800]) {
        await guess(10);
        for (const app of apps) {
          const locked = await app.post('/login', { username: 'alice', password: PASSWORD });
          t.equal(locked.body, wrongPassword.body, 'the right password gets the bytes of a wrong one');
          t.equal(locked.statusCode, 401);
        }
        const code = await b.post('/otp', { otp: '000000' }, before.jar.clone());
        if (seconds === 900) t.match(code.headers, { 'retry-after': `${Math.min(seconds, 900)}` });
        clock.advance(seconds - 1);
        t.equal((await a.post('/login', { username: 'alice', password: PASSWORD })).statusCode, 401);
        clock.advance(1);
      }
      await guess(9);
      const { jar, code } = await a.login();
      t.equal((await b.post('/otp', { otp: code }, jar)).statusCode, 200);
      await guess(10);
      clock.advance(900);
      t.equal((await b.login()).response.statusCode, 200, 'after a success it is 15 min again');
    },
  );

  t.test('the lock outlives a restart of every replica', async (t) => {
    const { apps, clock } = await pair(t, { LIMIT_ACCOUNT_FAILURES: '1' });
    const { jar, code } = await apps[0].login();
    await apps[0].post('/otp', { otp: wrongCode(code) }, jar);
    const young = await replica(t, `${redis.url}/${database}`, clock);
    t.equal((await young.post('/login', { username: 'alice', password: PASSWORD })).statusCode, 401);
  });

  t.test('the sixth code in ten minutes is refused, on whichever replica; providers saw five', async (t) => {
    const { apps, clock } = await pair(t, { LIMIT_SEND_PHONE: '5/600' });
    for (let send = 0; send < 5; send += 1) {
      t.equal((await (apps[send % 2] as TestApp).login()).response.statusCode, 200);
      clock.advance(30);
    }
    for (const app of apps) {
      const sixth = (await app.login()).response;
      t.match(sixth, { statusCode: 429, headers: { 'retry-after': '450' } });
      t.equal(sixth.json().code, 'too_many_requests');
    }
    t.equal(apps[0].messages.length + apps[1].messages.length, 5);
  });

  t.test('a session that is signed out on one replica is refused by the other within five seconds', async (t) => {
    const { apps, clock } = await pair(t);
    const { jar, code } = await apps[0].login();
    await apps[0].post('/otp', { otp: code }, jar);
    const copy = jar.clone();
    for (const app of apps) t.equal((await app.get('/session', copy)).statusCode, 200);
    await apps[0].post('/logout', {}, jar);
    t.equal((await apps[0].get('/session', copy)).statusCode, 401);
    clock.advance(5);
    t.equal((await apps[1].get('/session', copy)).statusCode, 401);
  });
});

t.test(
  'a wrong code costs one round trip to Redis, a right one two, a session none while its answer is fresh',
  async (t) => {
    const redis = await startRedis(t);
    if (redis === null) return;
    const proxy = await startHangingProxy(t, redis.port);
    const clock = fakeClock();
    const app = await replica(t, `redis://127.0.0.1:${proxy.port}`, clock);
    // Scripts are sent whole once; from then on by their digest.
    const warm = await app.login();
    await app.post('/otp', { otp: wrongCode(warm.code) }, warm.jar);
    await app.post('/otp', { otp: warm.code }, warm.jar);
    await app.get('/session', warm.jar);

    const { jar, code } = await app.login();
    const tripsOf = async (work: () => Promise<{ statusCode: number }>, status: number) => {
      const before = proxy.trips();
      t.equal((await work()).statusCode, status);
      return proxy.trips() - before;
    };
    t.equal(await tripsOf(() => app.post('/otp', { otp: wrongCode(code) }, jar), 403), 1);
    t.equal(await tripsOf(() => app.post('/otp', { otp: code }, jar), 200), 2);
    t.equal(await tripsOf(() => app.get('/session', jar), 200), 1);
    for (let request = 0; request < 20; request += 1) t.equal(await tripsOf(() => app.get('/session', jar), 200), 0);
  },
);

/** What a user sees while the store is away, and once it is back. */
async function outage(t: Test, url: string, away: () => unknown, back: () => unknown) {
  const clock = fakeClock();
  // The same store by two connections. One gives up soon, the other waits on a busy machine as well.
  const impatient = await connect(t, url, clock, 200);
  const patient = await connect(t, url, clock);
  let limits = patient;
  const current = new Proxy(patient, { get: (_, name: keyof Limits) => limits[name] });
  const app = await testApp({ clock, ports: { limits: current, keys, random: seededRandom('outage') } });
  const { jar, code } = await app.login();
  const signedIn = await app.login({ ...ALICE });
  await app.post('/otp', { otp: signedIn.code }, signedIn.jar);
  t.equal((await app.get('/session', signedIn.jar)).statusCode, 200);

  await away();
  limits = impatient;
  for (const request of [
    () => app.post('/otp', { otp: code }, jar),
    () => app.post('/otp', { otp: wrongCode(code) }, jar),
    () => app.post('/otp/resend', {}, jar),
    () => app.post('/login', { username: 'alice', password: PASSWORD }),
  ]) {
    // That there is an answer at all shows that the service does not wait for the store.
    const response = await request();
    t.equal(response.statusCode, 503);
    t.equal(response.json().code, 'limits_unavailable');
    t.ok(Number(response.headers['retry-after']) >= 1);
    t.notOk(response.headers['set-cookie'], 'the cookie is kept');
  }
  clock.advance(10);
  t.equal((await app.get('/session', signedIn.jar)).statusCode, 200, 'sessions go on');

  await back();
  limits = patient;
  await until(
    'the store counts',
    async () => (await app.post('/otp/resend', { channel: 'fax' }, jar)).statusCode === 400 && (await probe(app)),
  );
  t.equal((await app.post('/otp', { otp: code }, jar)).statusCode, 200, 'the same code signs in');
}

const probe = async (app: TestApp) =>
  (await app.post('/login', { username: 'nobody', password: 'x' })).statusCode === 401;

t.test('Redis killed mid-login, and back within the minute', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  await outage(t, redis.url, redis.kill, redis.start);
});

t.test('Redis that takes connections and never answers', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const proxy = await startHangingProxy(t, redis.port);
  await outage(t, `redis://127.0.0.1:${proxy.port}`, proxy.hang, proxy.resume);
});

t.test('with LIMITS_ON_OUTAGE=local sign-ins go on, bounded by each replica’s own counts', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const clock = fakeClock();
  const apps = [
    await replica(t, redis.url, clock, { local: true }),
    await replica(t, redis.url, clock, { local: true }),
  ] as const;
  const before = await apps[0].login();
  t.equal((await apps[0].post('/otp', { otp: wrongCode(before.code) }, before.jar)).json().attemptsLeft, 4);
  await redis.kill();
  t.equal(
    (await apps[0].post('/otp', { otp: wrongCode(before.code) }, before.jar)).json().attemptsLeft,
    3,
    'no clean slate',
  );
  const responses = await spread(apps, 100, wrongCode(before.code), before.jar);
  t.equal(count(responses, 403), 3 + 5, 'what is left here, and five on the other replica');
  const after = await apps[1].login();
  const right = await Promise.all(
    Array.from({ length: 20 }, () => apps[1].post('/otp', { otp: after.code }, after.jar.clone())),
  );
  t.equal(count(right, 200), 1);

  const signedIn = await apps[0].login({ ...ALICE });
  await apps[0].post('/otp', { otp: signedIn.code }, signedIn.jar);
  const session = signedIn.jar.clone();
  t.equal((await apps[0].post('/logout', {}, signedIn.jar)).statusCode, 200);
  await redis.start();
  await until('the store counts', () => probe(apps[1]));
  t.equal((await apps[0].get('/session', session)).statusCode, 401, 'signed out here');
  await until('the other replica has learnt of the sign-out', async () => {
    clock.advance(5);
    return (await apps[1].get('/session', session)).statusCode === 401;
  });
  for (const app of apps) {
    t.equal((await app.post('/otp', { otp: signedIn.code }, signedIn.jar.clone())).json().code, 'challenge_missing');
  }
});
