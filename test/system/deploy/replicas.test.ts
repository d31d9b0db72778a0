import t from 'tap';
import { CookieJar } from '../../support/build-app.ts';
import { startRedis } from '../../support/redis.ts';
import { startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

/** That a replica refuses a session that it has accepted before, after five seconds, is in test/system/limits/replicas.test.ts. */
t.test('a session of one built replica is accepted by the other, and refused there after a logout', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const env = { SESSION_KEYS: Buffer.alloc(32, 1).toString('base64'), REDIS_URL: redis.url };
  const [one, two] = await Promise.all([startService(t, env), startService(t, env)]);
  const jar = new CookieJar();
  const logIn = async () => (await one.post('/login', { username: 'demo', password: 'demo' }, jar)).status;
  // Redis must reply within 200 ms, or the login is refused and nothing is sent.
  await until('a login', async () => (await logIn()) === 200);
  const sent = () => /code (\d{6})/.exec(one.output())?.[1];
  await until('the code on the console', () => sent() !== undefined);
  t.equal((await two.post('/otp', { otp: sent() }, jar)).status, 200, 'logged in at one, the code at the other');
  const copy = jar.clone();
  t.equal((await one.get('/auth', copy)).status, 200);
  t.equal((await one.post('/logout', {}, jar)).status, 200);
  t.equal((await one.get('/auth', copy)).status, 401);
  // A replica that cannot read Redis in time accepts the session until its next try.
  await until('the other replica refuses it', async () => (await two.get('/auth', copy)).status === 401);
  t.pass('refused by both');
});
