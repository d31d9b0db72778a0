import t from 'tap';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { BROWSER, testApp } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

t.test('a session is current until it ends or is revoked', async (t) => {
  const { login, post, get, clock } = await testApp({ env: { SESSION_TTL: '3600' } });
  const { jar, code } = await login();
  t.equal((await get('/session', jar)).statusCode, 401, 'not before the second factor');
  await post('/otp', { otp: code }, jar);
  clock.advance(3599);
  t.equal((await get('/session', jar)).statusCode, 200);
  clock.advance(1);
  t.equal((await get('/session', jar)).json().code, 'not_authenticated');
});

const IDLE = { SESSION_TTL: '3600', SESSION_IDLE_TTL: '600', SESSION_KEYS: Buffer.alloc(32, 1).toString('base64') };

t.test('a session in use is renewed at a tenth of its idle time, by whatever asks who is there', async (t) => {
  const { login, post, get, clock } = await testApp({ env: IDLE });
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  for (const path of ['/session', '/', '/auth', '/auth/redirect', '/login']) {
    clock.advance(59);
    t.equal((await get(path, jar, BROWSER)).headers['set-cookie'], undefined, `${path}: not yet`);
    clock.advance(1);
    t.match(
      (await get(path, jar, BROWSER)).headers['set-cookie'],
      /^doorcode-session=.+; HttpOnly; SameSite=Lax$/,
      path,
    );
  }
  clock.advance(599);
  t.equal((await get('/session', jar)).statusCode, 200);
  clock.advance(600);
  t.equal((await get('/session', jar)).statusCode, 401);
});

t.test('without an idle time no session is renewed', async (t) => {
  const { login, post, get, clock } = await testApp();
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  clock.advance(40_000);
  t.match(await get('/session', jar), { statusCode: 200, headers: { 'set-cookie': undefined } });
});

t.test('use does not put off the end, and an old cookie put back ends sooner', async (t) => {
  const { login, post, get, clock } = await testApp({ env: IDLE });
  const { jar, code } = await login();
  await post('/otp', { otp: code }, jar);
  const first = jar.clone();
  for (let minutes = 5; minutes < 60; minutes += 5) {
    clock.advance(300);
    t.equal((await get('/session', jar)).statusCode, 200);
    if (minutes >= 10) t.equal((await get('/session', first.clone())).statusCode, 401);
  }
  clock.advance(299);
  t.match((await get('/session', jar)).json(), { expiresAt: '2030-01-01T01:00:00Z' });
  clock.advance(1);
  t.equal((await get('/session', jar)).statusCode, 401);
});

t.test('replicas and requests at the same time agree, and signing out ends every renewal', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock });
  const [one, two] = await Promise.all([1, 2].map(() => testApp({ env: IDLE, clock, ports: { limits } })));
  if (one === undefined || two === undefined) return;
  const { jar, code } = await one.login();
  await one.post('/otp', { otp: code }, jar);
  clock.advance(100);
  const copies = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const copy = jar.clone();
      t.match(await [one, two][index % 2]?.get('/auth', copy), { statusCode: 200, headers: { 'set-cookie': /./ } });
      return copy;
    }),
  );
  clock.advance(599);
  for (const copy of copies) t.equal((await two.get('/auth', copy.clone())).statusCode, 200);
  const [last] = copies;
  await one.post('/logout', {}, last);
  clock.advance(5);
  for (const copy of [jar, ...copies])
    t.match(await two.get('/auth', copy), { statusCode: 401, headers: { 'set-cookie': undefined } });
});
