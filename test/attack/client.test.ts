import t from 'tap';
import { NotTried } from '../../src/attack/attack.ts';
import { counted, createClient, inWords } from '../../src/attack/client.ts';
import { CookieJar } from '../../src/attack/jar.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { freePort } from '../support/redis.ts';

t.test('it asks with what the jar holds, keeps what comes back, and follows nobody elsewhere', async (t) => {
  const { url, visits } = await startLoopbackServer(t, ({ path }, response) => {
    if (path === '/moved') response.writeHead(303, { location: '/elsewhere', 'set-cookie': ['b=2', 'c=3'] }).end();
    else response.writeHead(429, { 'content-type': 'application/problem+json' }).end('{"code":"too_many_requests"}');
  });
  const client = createClient({ url: `${url}/some/path`, maxRequests: 10 });
  t.teardown(() => client.close());
  const jar = new CookieJar([['a', '1']]);
  const moved = await client.get('/moved', { jar });
  t.match(moved, { status: 303, headers: { location: '/elsewhere' }, cookies: ['b=2', 'c=3'], code: '' });
  t.equal(jar.header, 'a=1; b=2; c=3');
  const refused = await client.post('/x', { y: 1 }, { headers: { 'x-more': 'z' } });
  t.match(refused, { status: 429, code: 'too_many_requests', json: { code: 'too_many_requests' } });
  await client.post('/x', 'y=1');
  t.match(visits, [
    { method: 'GET', path: '/moved', headers: { cookie: 'a=1', accept: 'application/json' } },
    { method: 'POST', body: '{"y":1}', headers: { 'content-type': 'application/json', 'x-more': 'z' } },
    { method: 'POST', body: 'y=1' },
  ]);
  t.equal(client.requests, 3);
  t.ok(client.told.includes('{"code":"too_many_requests"}'));
  t.equal(inWords(refused), '429 too_many_requests');
  t.equal(counted([refused, moved, refused]), '2 × 429 too_many_requests, 1 × 303');
});

t.test('it asks so often and no more', async (t) => {
  const { url, visits } = await startLoopbackServer(t);
  const client = createClient({ url, maxRequests: 2 });
  t.teardown(() => client.close());
  await client.get('/');
  await client.get('/');
  await t.rejects(client.get('/'), new NotTried('2 requests were made, which is all this run makes'));
  t.equal(visits.length, 2);
});

t.test('it asks nothing when its time is over, and waits no longer for an answer', async (t) => {
  const { url, visits } = await startLoopbackServer(t, ({ path }, response) => {
    // A byte now and then, for ever: no pause between two of them is long.
    const trickle = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(trickle));
    if (path === '/at-once') response.end();
  });
  let left = 200;
  const client = createClient({ url, maxRequests: 10, timeLeftMs: () => left });
  t.teardown(() => client.close());
  await t.rejects(client.get('/'), new NotTried('this run ends before there is an answer (--minutes)'));
  left = 60_000;
  t.equal((await client.get('/at-once')).status, 200);
  left = 0;
  await t.rejects(client.get('/at-once'), new NotTried('this run is over (--minutes)'));
  t.equal(visits.filter(({ path }) => path === '/at-once').length, 1);
  t.equal(client.requests, 2, 'what is not asked is not counted');
});

t.test('an answer that never ends is none, though there is time', async (t) => {
  const { url } = await startLoopbackServer(t, (_visit, response) => {
    const trickle = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(trickle));
  });
  const client = createClient({ url, maxRequests: 10, answerMs: 200 });
  t.teardown(() => client.close());
  t.match(await client.get('/'), { status: 0, text: 'no whole answer within 0.2 s' });
});

t.test('a connection that is cut is an answer, a deployment that is not there is none', async (t) => {
  const { url } = await startLoopbackServer(t, (_visit, response) => void response.destroy());
  const client = createClient({ url, maxRequests: 9 });
  t.teardown(() => client.close());
  const cut = await client.get('/');
  t.equal(cut.status, 0);
  t.equal(inWords(cut), 'connection cut');
  const nobody = createClient({ url: `http://127.0.0.1:${await freePort()}`, maxRequests: 9 });
  t.teardown(() => nobody.close());
  await t.rejects(nobody.get('/'), /cannot be reached \(ECONNREFUSED\)$/);
});

t.test('a deployment that cannot answer anybody is not taken for one that withstands', async (t) => {
  let body = '';
  const { url } = await startLoopbackServer(t, (_visit, response) => void response.writeHead(503).end(body));
  const client = createClient({ url, maxRequests: 9 });
  t.teardown(() => client.close());
  for (const code of ['overloaded', 'limits_unavailable', 'directory_unavailable', 'delivery_failed']) {
    body = JSON.stringify({ code });
    await t.rejects(client.get('/otp'), new NotTried(`/otp: 503 ${code}`));
  }
  body = 'gone';
  t.equal((await client.get('/otp')).status, 503, 'what a crash looks like through a gateway is an answer');
});
