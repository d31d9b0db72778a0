import { once } from 'node:events';
import { METHODS } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { BROWSER, CookieJar, testApp } from '../support/build-app.ts';

const ENV = { ORIGIN: 'https://login.example.com', ALLOWED_ORIGINS: 'https://app.example.com' };
const PATHS = ['/auth', '/auth/redirect', '/auth/inbox/1?a=b', '/auth/redirect/inbox'];

const signedIn = async () => {
  const service = await testApp({ env: ENV });
  const { jar, code } = await service.login();
  await service.post('/otp', { otp: code }, jar);
  return { ...service, jar };
};

t.test('a gateway may send the method of the original request', async (t) => {
  const { app, jar } = await signedIn();
  for (const url of PATHS) {
    for (const method of METHODS.filter((each) => each !== 'CONNECT') as 'GET'[]) {
      const user = await app.inject({ method, url, headers: { ...BROWSER, cookie: jar.header } });
      t.match([user.statusCode, user.headers['remote-user']], [200, 'alice'], `${method} ${url}`);
      const anonymous = await app.inject({ method, url, headers: { accept: 'application/json' } });
      t.match([anonymous.statusCode, anonymous.headers['remote-user']], [401, ''], `${method} ${url}`);
    }
  }
});

t.test('the body is neither read nor judged', async (t) => {
  const { app, jar } = await signedIn();
  const types = ['text/plain', 'application/json', 'multipart/form-data', 'image/png', 'no type', '; ;', ''];
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY' as 'POST'] as const) {
    for (const type of types) {
      const headers = { 'content-type': type, 'content-length': String(5 * 1024 * 1024), cookie: jar.header };
      const { statusCode } = await app.inject({ method, url: '/auth', headers });
      t.equal(statusCode, 200, `${method} ${type}`);
    }
  }
  const big = await app.inject({
    method: 'POST',
    url: '/auth',
    headers: { 'content-type': 'application/json', cookie: jar.header },
    payload: '{"a":1,"a":2'.padEnd(100_000),
  });
  t.equal(big.statusCode, 200);
});

t.test('a body that was announced is not waited for', async (t) => {
  const { app, jar } = await signedIn();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => {
    socket.destroy();
    return app.close();
  });
  socket.write(
    `POST /auth HTTP/1.1\r\nHost: x\r\nCookie: ${jar.header}\r\nContent-Type: text/plain\r\nContent-Length: 5000000\r\n\r\n`,
  );
  const [answer] = await once(socket, 'data');
  t.match(String(answer), /^HTTP\/1\.1 200 /);
});

t.test('what another site caused is judged by the app', async (t) => {
  const { app, jar } = await signedIn();
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', cookie: jar.header };
  t.equal((await app.inject({ method: 'POST', url: '/auth', headers })).statusCode, 200);
  t.equal((await app.inject({ method: 'POST', url: '/logout', headers })).statusCode, 403, 'our own routes judge it');
});

t.test('a preflight request is not answered in the place of the app', async (t) => {
  const { app } = await testApp({ env: ENV });
  const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT', ...BROWSER };
  for (const url of PATHS) {
    const response = await app.inject({ method: 'OPTIONS', url, headers });
    t.equal(response.statusCode, 401, url);
    t.strictSame(
      Object.keys(response.headers).filter((name) => /^access-control|^vary$|^location$|^x-doorcode-login$/.test(name)),
      [],
    );
  }
  const own = await app.inject({ method: 'OPTIONS', url: '/login', headers });
  t.equal(own.statusCode, 204, 'our own routes answer');
});

t.test('an answer has the headers that a gateway needs, and none for pages', async (t) => {
  const { get, jar } = await signedIn();
  const needed = [
    ...['remote-user', 'remote-amr', 'x-doorcode-assertion', 'x-doorcode-login', 'set-cookie', 'www-authenticate'],
    ...['cache-control', 'location', 'content-type', 'content-length', 'date', 'connection', 'keep-alive'],
  ];
  const origin = { ...BROWSER, origin: 'https://app.example.com' };
  for (const path of PATHS) {
    for (const response of [await get(path, jar, origin), await get(path), await get(path, new CookieJar(), BROWSER)]) {
      const others = Object.keys(response.headers).filter((name) => !needed.includes(name));
      t.strictSame(others, [], `${path} ${response.statusCode}`);
    }
  }
  t.ok((await get('/login')).headers['content-security-policy'], 'pages have them');
});

t.test('a page with many return origins does not make the answer longer', async (t) => {
  const ALLOWED_RETURN_ORIGINS = Array.from({ length: 60 }, (_, index) => `https://app-${index}.example.com`).join();
  const { get } = await testApp({ env: { ...ENV, ALLOWED_RETURN_ORIGINS, TRUST_PROXY: 'loopback' } });
  const sizes = ['x', '%C3%BC', 'a/', '&a=1'].map(async (part) => {
    const uri = `/?${part.repeat(1500 / part.length)}`;
    const { headers, body } = await get('/auth', undefined, {
      ...BROWSER,
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'app-59.example.com',
      'x-forwarded-proto': 'https',
      'x-forwarded-uri': uri,
    });
    t.equal(new URL(String(headers['x-doorcode-login'])).searchParams.get('next'), `https://app-59.example.com${uri}`);
    return body.length + Object.entries(headers).join().length;
  });
  for (const size of await Promise.all(sizes)) t.ok(size < 4000, `${size}`);
});
