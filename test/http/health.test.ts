import t from 'tap';
import { BROWSER, CookieJar, PASSWORD, testApp } from '../support/build-app.ts';

t.test('a process that runs says so, whatever else is wrong', async (t) => {
  const { get, lifecycle } = await testApp({ ports: { readiness: { store: () => 'unreachable' } } });
  const alive = await get('/healthz');
  t.equal(alive.statusCode, 200);
  t.strictSame(alive.json(), { status: 'ok' });
  lifecycle.draining = true;
  t.equal((await get('/healthz')).statusCode, 200);
});

t.test('with nothing to wait for, it is ready', async (t) => {
  const { get } = await testApp();
  const ready = await get('/readyz');
  t.equal(ready.statusCode, 200);
  t.strictSame(ready.json(), { status: 'ready', checks: { process: 'ok' }, warnings: [] });
  t.not(ready.headers['connection'], 'close');
});

t.test('each part is named with what is wrong with it', async (t) => {
  let fault: string | null = 'unreachable';
  const { clock, get } = await testApp({ ports: { readiness: { store: async () => fault, senders: () => null } } });
  const down = await get('/readyz');
  t.equal(down.statusCode, 503);
  t.strictSame(down.json(), {
    status: 'not_ready',
    checks: { process: 'ok', store: 'unreachable', senders: 'ok' },
    warnings: [],
  });
  fault = null;
  clock.advance(1);
  const up = await get('/readyz');
  t.equal(up.statusCode, 200, 'a second later it is checked again');
  t.strictSame(up.json(), { status: 'ready', checks: { process: 'ok', store: 'ok', senders: 'ok' }, warnings: [] });
});

t.test('an anonymous client learns the status and nothing else', async (t) => {
  let fault: string | null = null;
  const options = {
    env: { TRUST_PROXY: '192.0.2.0/24' },
    ports: { readiness: { limits: () => fault }, warnings: () => ['maxmemory-policy is allkeys-lru'] },
  };
  const { app, clock } = await testApp(options);
  const ready = async (remoteAddress: string, headers = {}) => {
    const response = await app.inject({ url: '/readyz', remoteAddress, headers });
    return { status: response.statusCode, body: response.json() };
  };
  const anonymous: [remoteAddress: string, headers?: Record<string, string>][] = [
    ['203.0.113.9'],
    ['2001:db8::9'],
    ['::ffff:203.0.113.9'],
    ['203.0.113.9', { 'x-forwarded-for': '127.0.0.1' }],
    ['203.0.113.9', { forwarded: 'for=127.0.0.1' }],
    // What a gateway forwards for a client, whatever address it names.
    ['192.0.2.1', { 'x-forwarded-for': '203.0.113.9' }],
    ['192.0.2.1', { 'x-forwarded-for': '127.0.0.1' }],
    ['192.0.2.1', { 'x-forwarded-for': '' }],
    ['127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }],
    ['::1', { forwarded: 'for=192.0.2.1' }],
    ['127.0.0.1', { 'x-real-ip': '127.0.0.1' }],
    ['127.0.0.1', { 'x-forwarded-proto': 'https' }],
    ['127.0.0.1', { via: '1.1 gateway' }],
    ['127.0.0.1', { 'cf-connecting-ip': '203.0.113.9' }],
    ['127.0.0.1', { 'true-client-ip': '203.0.113.9' }],
  ];
  for (const [address, headers] of anonymous) {
    const name = `${address} ${JSON.stringify(headers ?? {})}`;
    fault = null;
    clock.advance(1);
    t.strictSame(await ready(address, headers), { status: 200, body: { status: 'ready' } }, name);
    fault = 'out of reach';
    clock.advance(1);
    t.strictSame(await ready(address, headers), { status: 503, body: { status: 'not_ready' } }, name);
  }
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '192.0.2.1', '::ffff:192.0.2.1']) {
    t.match(await ready(address), { body: { checks: { limits: 'out of reach' }, warnings: [/^maxmemory/] } }, address);
  }
});

t.test('a gateway leaves out the store that sessions do not need, and nothing else', async (t) => {
  let asked = 0;
  const limits = () => {
    asked += 1;
    return 'unreachable';
  };
  const { get, lifecycle } = await testApp({ ports: { readiness: { limits, delivery: () => null } } });
  t.equal((await get('/readyz')).statusCode, 503);
  t.equal(asked, 1);
  const ready = await get('/readyz?exclude=limits');
  t.equal(ready.statusCode, 200);
  t.strictSame(ready.json(), { status: 'ready', checks: { process: 'ok', delivery: 'ok' }, warnings: [] });
  t.equal(asked, 1, 'nor is it asked');
  for (const query of [
    'exclude=process',
    'exclude=delivery',
    'exclude=',
    'exclude=limits&exclude=process',
    'exclud=limits',
  ])
    t.match((await get(`/readyz?${query}`)).json(), { status: 400, code: 'invalid_request' }, query);
  lifecycle.draining = true;
  t.equal((await get('/readyz?exclude=limits')).statusCode, 503);
});

t.test('without a store there is none to leave out, and no fault', async (t) => {
  const { get } = await testApp();
  t.strictSame((await get('/readyz?exclude=limits')).json(), (await get('/readyz')).json());
});

t.test('a part whose check breaks is named, without a word of why', async (t) => {
  const { get, logs } = await testApp({
    ports: {
      readiness: {
        store: async () => {
          throw new Error('connect ECONNREFUSED redis://:hunter2@192.0.2.1');
        },
        senders: () => null,
      },
    },
  });
  const down = await get('/readyz');
  t.equal(down.statusCode, 503);
  t.strictSame(down.json(), {
    status: 'not_ready',
    checks: { process: 'ok', store: 'check failed', senders: 'ok' },
    warnings: [],
  });
  const line = logs.map((text) => JSON.parse(text)).find(({ check }) => check === 'store');
  t.match(line, { level: 40, msg: 'readiness check failed', err: { type: 'Error' } });
});

t.test('what works but should not stay so is told, and traffic may come', async (t) => {
  let warnings: string[] = ['limits are counted per process'];
  const { get } = await testApp({ ports: { warnings: () => warnings } });
  const ready = await get('/readyz');
  t.equal(ready.statusCode, 200);
  t.match(ready.json(), { status: 'ready', warnings: ['limits are counted per process'] });
  warnings = [];
  t.strictSame((await get('/readyz')).json().warnings, []);
});

t.test('on its way out it is not ready, and every answer closes its connection', async (t) => {
  const { app, get, post, lifecycle, login } = await testApp();
  const { jar } = await login();
  const stylesheet = /href="(\/assets\/[^"]+)"/.exec((await get('/login')).body)?.[1] ?? '';
  lifecycle.draining = true;

  const ready = await get('/readyz');
  t.equal(ready.statusCode, 503);
  t.strictSame(ready.json(), { status: 'not_ready', checks: { process: 'shutting down' }, warnings: [] });

  const answers = {
    alive: await get('/healthz'),
    ready,
    page: await get('/login', undefined, BROWSER),
    'code page': await get('/otp', jar, BROWSER),
    redirect: await get('/', undefined, BROWSER),
    login: await post('/login', { username: 'bob', password: PASSWORD }, new CookieJar()),
    'wrong request': await post('/login', {}),
    'cross-site': await post('/login', {}, undefined, { origin: 'https://evil.example' }),
    unauthorised: await get('/session'),
    'not found': await get('/nowhere'),
    'not allowed': await app.inject({ method: 'PUT', url: '/login' }),
    stylesheet: await get(stylesheet),
  };
  for (const [name, { headers }] of Object.entries(answers)) t.equal(headers['connection'], 'close', name);
  t.equal(answers.login.statusCode, 200, 'who came is still served');
  t.equal(answers.stylesheet.statusCode, 200);
});
