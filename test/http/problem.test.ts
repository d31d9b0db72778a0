import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { problemBody, toProblem } from '../../src/http/problem.ts';
import { BROWSER, testApp } from '../support/build-app.ts';

const PROBLEM_JSON = /^application\/problem\+json\b/;

t.test('a problem document has the members that are known, and no others', async (t) => {
  t.strictSame(JSON.parse(JSON.stringify(problemBody(new DoorcodeError('not_found')))), {
    status: 404,
    code: 'not_found',
    title: 'Not found',
  });
  const all = { status: 418, title: 'Teapot', detail: 'short', attemptsLeft: 0, retryAfterSeconds: 7 };
  t.strictSame(JSON.parse(JSON.stringify(problemBody(new DoorcodeError('otp_invalid', all)))), {
    status: 418,
    code: 'otp_invalid',
    title: 'Teapot',
    detail: 'short',
    attemptsLeft: 0,
    retryAfter: 7,
  });
});

t.test('a problem stays itself', async (t) => {
  const problem = new DoorcodeError('otp_expired');
  t.equal(toProblem(problem), problem);
});

t.test('failures of reading the request are the client’s, with a status that says which', async (t) => {
  const known: [unknown, object][] = [
    [Object.assign(new Error('raw input 482915'), { statusCode: 400 }), { status: 400, detail: /could not be read/ }],
    [Object.assign(new Error('raw input 482915'), { statusCode: 413 }), { status: 413, message: /too large/ }],
    [Object.assign(new Error('raw input 482915'), { statusCode: 415 }), { status: 415, message: /media type/ }],
    [Object.assign(new Error('body/otp must match'), { statusCode: 400, validation: [{}] }), { detail: /^body\/otp/ }],
  ];
  for (const [error, expected] of known) {
    const problem = toProblem(error);
    t.match(problem, { code: 'invalid_request', ...expected });
    t.notMatch(JSON.stringify(problemBody(problem)), '482915');
  }
});

t.test('whatever else is thrown is an internal error that tells nothing of itself', async (t) => {
  const unknown = [
    new Error('secret'),
    new TypeError('secret'),
    Object.assign(new Error('secret'), { statusCode: 418 }),
    Object.assign(new Error('secret'), { statusCode: 401 }),
    'secret',
    { message: 'secret' },
    418,
    null,
    undefined,
    Symbol('secret'),
  ];
  for (const thrown of unknown) {
    const problem = toProblem(thrown);
    t.match(problem, { code: 'internal_error', status: 500, cause: thrown }, String(thrown));
    t.notMatch(JSON.stringify(problemBody(problem)), 'secret');
  }
});

t.test('a page that does not exist is 404, to each in their own language', async (t) => {
  const { get, post } = await testApp();
  const json = await get('/nowhere?code=482915');
  t.match(json.headers['content-type'], PROBLEM_JSON);
  t.equal(json.statusCode, 404);
  t.strictSame(json.json(), { status: 404, code: 'not_found', title: 'Not found' });
  const html = await get('/nowhere?code=482915', undefined, BROWSER);
  t.match(html, { statusCode: 404, headers: { 'content-type': /^text\/html/ }, body: /This page does not exist\./ });
  t.notMatch(html.body, '482915');
  t.equal((await post('/nowhere', { a: 1 })).statusCode, 404);
});

t.test('no path that does not exist is anything but 404', async (t) => {
  const { app, logs } = await testApp();
  // Among them what a router takes for patterns.
  const paths = [
    '/login/',
    '//login',
    '/LOGIN',
    '/:a',
    '/:a(',
    '/:a(.*)',
    '/*',
    '/(',
    '/a?b=:(',
    '/log%69n/x',
    '/%2e%2e/x',
  ];
  for (const url of [...paths, `/${'x'.repeat(8000)}`, '/:a(482915']) {
    for (const method of ['GET', 'PUT'] as const) {
      const response = await app.inject({ method, url });
      t.equal(response.statusCode, 404, `${method} ${url.slice(0, 40)}`);
      t.match(response.headers['content-type'], PROBLEM_JSON);
    }
  }
  t.notMatch(logs.join(''), '482915');
});

t.test('a method that a page does not have is 405 and told which it has', async (t) => {
  const { app } = await testApp();
  const cases: [string, string, string][] = [
    ['PUT', '/login', 'GET, HEAD, POST'],
    ['DELETE', '/login?next=/x', 'GET, HEAD, POST'],
    ['PATCH', '/otp', 'GET, HEAD, POST'],
    ['OPTIONS', '/otp', 'GET, HEAD, POST'],
    ['TRACE', '/otp', 'GET, HEAD, POST'],
    ['GET', '/otp/resend', 'POST'],
    ['GET', '/logout', 'POST'],
    ['HEAD', '/logout', 'POST'],
    ['POST', '/session', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
  ];
  for (const [method, url, allow] of cases) {
    const response = await app.inject({ method: method as 'GET', url });
    t.equal(response.statusCode, 405, `${method} ${url}`);
    t.equal(response.headers['allow'], allow, `${method} ${url}`);
    if (method !== 'HEAD') t.equal(response.json().code, 'method_not_allowed', `${method} ${url}`);
  }
  const page = await app.inject({ method: 'GET', url: '/logout', headers: BROWSER });
  t.match(page, { statusCode: 405, headers: { allow: 'POST' }, body: /This page cannot be opened like that\./ });
});

t.test('a body that is too large is 413, one of another kind 415, a broken one 400', async (t) => {
  const { app } = await testApp();
  const post = (payload: string, type: string, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/login', headers: { 'content-type': type, ...headers }, payload });
  const cases: [number, string, string][] = [
    [413, JSON.stringify({ username: 'alice', password: 'x'.repeat(16 * 1024) }), 'application/json'],
    [413, `username=alice&password=${'x'.repeat(16 * 1024)}`, 'application/x-www-form-urlencoded'],
    [415, 'username=alice', 'text/plain'],
    [400, '{"username":', 'application/json'],
  ];
  for (const [status, payload, type] of cases) {
    const json = await post(payload, type);
    t.equal(json.statusCode, status);
    t.match(json.headers['content-type'], PROBLEM_JSON);
    t.match(json.json(), { status, code: 'invalid_request' });
    const html = await post(payload, type, BROWSER);
    t.match(html, { statusCode: status, headers: { 'content-type': /^text\/html/ }, body: /check what you entered/ });
  }
});

t.test('what nobody expected is 500 without internals, and logged without digits', async (t) => {
  const { app, get, logs } = await testApp();
  const thrown: Record<string, unknown> = {
    error: new Error('no route to +15550100101, code 482915'),
    string: 'no route to +15550100101',
    object: { phone: '+15550100101' },
    null: null,
    undefined: undefined,
    status: Object.assign(new Error('no route to +15550100101'), { statusCode: 404 }),
  };
  for (const [name, value] of Object.entries(thrown)) {
    app.get(`/${name}`, async () => {
      throw value;
    });
  }
  for (const name of Object.keys(thrown)) {
    logs.length = 0;
    const json = await get(`/${name}`);
    t.equal(json.statusCode, 500, name);
    t.match(json.headers['content-type'], PROBLEM_JSON, name);
    t.strictSame(json.json(), { status: 500, code: 'internal_error', title: 'Oops, something went wrong' }, name);
    const line = logs.map((text) => JSON.parse(text)).find(({ level }) => level === 50);
    t.match(line, { msg: 'request failed', err: {} }, `${name} is logged`);
    t.notMatch(logs.join('').replaceAll(/"time":\d+/g, ''), /\d{6}101|482915/, name);
    const html = await get(`/${name}`, undefined, BROWSER);
    t.match(html, { statusCode: 500, body: /Oops, something went wrong\./ }, name);
    t.notMatch(html.body, /no route|5550100101/, name);
  }
});

t.test('why a part that we depend on failed is logged, and not told', async (t) => {
  const { post, logs } = await testApp({
    ports: {
      directory: {
        async authenticate() {
          const cause = new Error('User directory: answered 500 for +15550100101');
          throw new DoorcodeError('directory_unavailable', { retryAfterSeconds: 5, cause });
        },
      },
    },
  });
  const response = await post('/login', { username: 'alice', password: 'x' });
  t.strictSame(response.json(), {
    status: 503,
    code: 'directory_unavailable',
    title: 'The user directory is unavailable',
    retryAfter: 5,
  });
  t.match(
    logs.map((line) => JSON.parse(line)).find(({ code }) => code === 'directory_unavailable'),
    { level: 40, err: { message: 'User directory: answered 500 for [digits]' } },
  );
});

t.test('what a client did wrong is no line of error', async (t) => {
  const { get, post, logs } = await testApp();
  await get('/nowhere');
  await post('/login', { username: 1 });
  t.equal(logs.filter((line) => JSON.parse(line).level >= 40).length, 0);
});

t.test('when to try again stands in the header as well, for pages too', async (t) => {
  const { app, get } = await testApp();
  app.get('/wait', async () => {
    throw new DoorcodeError('overloaded', { retryAfterSeconds: 1.2 });
  });
  const json = await get('/wait');
  t.match(json, { statusCode: 503, headers: { 'retry-after': '2' } });
  t.equal(json.json().retryAfter, 2);
  t.match(await get('/wait', undefined, BROWSER), { statusCode: 503, headers: { 'retry-after': '2' } });
  t.notOk('retry-after' in (await get('/nowhere')).headers);
});

t.test('every 401 names a scheme, and none that makes a browser ask for a password', async (t) => {
  const { get, post, postForm } = await testApp();
  const cookie = 'Cookie realm="doorcode"';
  for (const path of ['/session', '/auth', '/auth/redirect'])
    t.match(await get(path), { statusCode: 401, headers: { 'www-authenticate': cookie } }, path);
  for (const [path, body] of [
    ['/login', { username: 'alice', password: 'wrong' }],
    ['/otp', { otp: '123456' }],
    ['/otp/resend', {}],
  ] as const)
    t.match(await post(path, body), { statusCode: 401, headers: { 'www-authenticate': cookie } }, path);
  t.match(await post('/verifications', { to: '+15550100001' }), {
    statusCode: 401,
    headers: { 'www-authenticate': 'Bearer' },
  });
  t.equal((await get('/nowhere')).headers['www-authenticate'], undefined);
  t.equal((await postForm('/login', { username: 'alice', password: 'wrong' })).headers['www-authenticate'], undefined);
});
