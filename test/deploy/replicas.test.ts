import { randomBytes } from 'node:crypto';
import t from 'tap';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { type CookieJar, testApp } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

const [A, B] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];

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
