import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { CookieJar, testApp } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startRedis } from '../support/redis.ts';
import { startService } from '../support/service.ts';

const [A, B] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];

t.test('signing out on one replica is refused by the other within five seconds', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const env = { SESSION_KEYS: A, REDIS_URL: redis.url };
  const [one, two] = await Promise.all([startService(t, env), startService(t, env)]);
  const jar = new CookieJar();
  await one.post('/login', { username: 'demo', password: 'demo' }, jar);
  await two.post('/otp', { otp: /code (\d{6})/.exec(one.output())?.[1] }, jar);
  const copy = jar.clone();
  t.equal((await two.get('/auth', copy)).status, 200);
  t.equal((await one.post('/logout', {}, jar)).status, 200);
  const startedAt = performance.now();
  t.equal((await one.get('/auth', copy)).status, 401, 'at once where it was done');
  while ((await two.get('/auth', copy)).status !== 401 && performance.now() - startedAt < 6000) await setTimeout(50);
  const seconds = (performance.now() - startedAt) / 1000;
  t.ok(seconds < 5, `after ${seconds.toFixed(1)} s`);
});

t.test('new keys come over rolling restarts and sign nobody out, nor close an open login', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const replica = (keys: string) =>
    testApp({ env: { SESSION_KEYS: keys }, clock, ports: { limits, random: randomBytes } });
  const jars: CookieJar[] = [];
  // What both replicas hold, as one after the other is restarted with the next step of the README.
  const [old, second, first, alone] = [A, `${A},${B}`, `${B},${A}`, B] as const;
  const stages = [
    [old, old],
    [second, old],
    [second, second],
    [first, second],
    [first, first],
  ] as const;
  for (const stage of stages) {
    const replicas = await Promise.all(stage.map(replica));
    for (const [here, there] of [replicas, replicas.toReversed()]) {
      if (here === undefined || there === undefined) return;
      const { jar, code } = await here.login();
      t.equal((await there.post('/otp', { otp: code }, jar)).statusCode, 200, 'logged in here, the code there');
      jars.push(jar);
      for (const known of jars) t.equal((await here.get('/auth', known)).statusCode, 200);
    }
  }
  clock.advance(43_199);
  const [last, next] = await Promise.all([replica(alone), replica(first)]);
  for (const service of [last, next]) {
    const { jar, code } = await last.login();
    t.equal((await service.post('/otp', { otp: code }, jar)).statusCode, 200);
  }
});

t.test('in front at once, a new key would be one that the other replica does not know yet', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const replica = (keys: string) =>
    testApp({ env: { SESSION_KEYS: keys }, clock, ports: { limits, random: randomBytes } });
  const [changed, old] = await Promise.all([replica(`${B},${A}`), replica(A)]);
  const { jar, code } = await changed.login();
  t.equal((await old.post('/otp', { otp: code }, jar)).json().code, 'challenge_missing');
});
