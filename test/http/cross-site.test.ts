import Fastify, { type FastifyError } from 'fastify';
import t from 'tap';
import { registerCrossSiteRule } from '../../src/http/cross-site.ts';
import { CookieJar, PASSWORD, testApp } from '../support/build-app.ts';

const OWN = 'https://login.example.com';
const ALLOWED = 'https://app.example.com';

const app = Fastify();
app.setErrorHandler<FastifyError>((error, _request, reply) => reply.code(403).send({ code: error.code }));
registerCrossSiteRule(app, () => [OWN], [ALLOWED]);
const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
app.route({ method: [...methods], url: '/', handler: async () => 'done' });

const own = { origin: OWN };
const allowed = { origin: ALLOWED };
const evil = { origin: 'https://evil.example' };
const from = (site: string) => ({ 'sec-fetch-site': site });

const passes: Record<string, Record<string, string>> = {
  'a program, which sends neither header': {},
  'our own page': { ...from('same-origin'), ...own },
  'our own page, without Origin': from('same-origin'),
  'the address bar': from('none'),
  'our own page in a browser without Sec-Fetch-Site': own,
  'our own page under a referrer policy that hides its origin': { ...from('same-origin'), origin: 'null' },
  'an allowed origin': { ...from('cross-site'), ...allowed },
  'an allowed origin on the same site': { ...from('same-site'), ...allowed },
  'an allowed origin in a browser without Sec-Fetch-Site': allowed,
};

const refused: Record<string, Record<string, string>> = {
  'another site': { ...from('cross-site'), ...evil },
  'another site, without Origin': from('cross-site'),
  'another site that claims our origin': { ...from('cross-site'), ...own },
  'a sibling of our host': { ...from('same-site'), origin: 'https://other.example.com' },
  'a sibling of our host, without Origin': from('same-site'),
  'a word that no browser sends': from('trusted'),
  'an empty Sec-Fetch-Site': from(''),
  'another spelling': from('Same-Origin'),
  'two words in one header': from('same-origin, cross-site'),
  'another site in a browser without Sec-Fetch-Site': evil,
  'a sandboxed frame in a browser without Sec-Fetch-Site': { origin: 'null' },
  'an empty Origin': { origin: '' },
  'our host over plain http': { origin: 'http://login.example.com' },
  'our host on another port': { origin: 'https://login.example.com:8443' },
  'our origin as the start of another': { origin: `${OWN}.evil.example` },
  'our origin with a path': { origin: `${OWN}/` },
  'two origins': { origin: `${OWN}, https://evil.example` },
  'an allowed origin as the start of another': { origin: `${ALLOWED}.evil.example` },
};

t.test('what our own pages, allowed origins and programs send is let through', async (t) => {
  for (const [name, headers] of Object.entries(passes)) {
    t.equal((await app.inject({ method: 'POST', url: '/', headers })).statusCode, 200, name);
  }
});

t.test('what another site caused is refused', async (t) => {
  for (const [name, headers] of Object.entries(refused)) {
    const response = await app.inject({ method: 'POST', url: '/', headers });
    t.strictSame(response.json(), { code: 'cross_site_request' }, name);
  }
});

t.test('methods that change nothing are let through from anywhere, all others are not', async (t) => {
  const safe = new Set<string>(['GET', 'HEAD', 'OPTIONS']);
  for (const method of methods) {
    const { statusCode } = await app.inject({ method, url: '/', headers: { ...from('cross-site'), ...evil } });
    t.equal(statusCode, safe.has(method) ? 200 : 403, method);
  }
});

t.test('a login from another site is refused before anything happens', async (t) => {
  const { post, messages } = await testApp({ env: { ORIGIN: OWN, ALLOWED_ORIGINS: ALLOWED } });
  for (const [name, headers] of Object.entries(refused)) {
    const jar = new CookieJar();
    const response = await post('/login', { username: 'alice', password: PASSWORD }, jar, headers);
    t.equal(response.statusCode, 403, name);
    t.equal(response.json().code, 'cross_site_request', name);
    t.equal(jar.header, '', name);
  }
  t.equal(messages.length, 0);
});

t.test('it is refused on pages that do not exist, too', async (t) => {
  const { post } = await testApp();
  t.equal((await post('/nowhere', {}, undefined, from('cross-site'))).json().code, 'cross_site_request');
});

t.test('on one machine, localhost and the loopback addresses are one', async (t) => {
  const login = { username: 'alice', password: PASSWORD };
  const { post } = await testApp();
  for (const origin of ['http://127.0.0.1:3000', 'http://localhost:3000', 'http://[::1]:3000']) {
    t.equal((await post('/login', login, undefined, { origin })).statusCode, 200, origin);
  }
  for (const origin of [
    'http://localhost:3001',
    'https://localhost:3000',
    'http://localhost',
    'http://127.0.0.2:3000',
  ]) {
    t.equal((await post('/login', login, undefined, { origin })).statusCode, 403, origin);
  }
  const withoutPort = await testApp({ env: { ORIGIN: 'http://localhost' } });
  t.equal((await withoutPort.post('/login', login, undefined, { origin: 'http://127.0.0.1' })).statusCode, 200);
  const elsewhere = await testApp({ env: { ORIGIN: OWN } });
  t.equal((await elsewhere.post('/login', login, undefined, { origin: 'http://localhost' })).statusCode, 403);
});

t.test('an allowed origin may call with cookies and read the answer, failures included', async (t) => {
  const { post, get } = await testApp({ env: { ORIGIN: OWN, ALLOWED_ORIGINS: `https://first.example, ${ALLOWED}` } });
  const cors = { 'access-control-allow-origin': ALLOWED, 'access-control-allow-credentials': 'true' };
  const login = await post('/login', { username: 'alice', password: PASSWORD }, undefined, {
    ...allowed,
    ...from('cross-site'),
  });
  t.match(login, { statusCode: 200, headers: cors });
  t.match(login.headers['vary'], /\bOrigin\b/);
  t.match(await post('/login', {}, undefined, allowed), { statusCode: 400, headers: cors });
  t.match(await get('/session', undefined, allowed), { statusCode: 401, headers: cors });
});

t.test('a preflight of an allowed origin is answered with what it may do', async (t) => {
  const { app } = await testApp({ env: { ORIGIN: OWN, ALLOWED_ORIGINS: ALLOWED } });
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
  const response = await app.inject({ method: 'OPTIONS', url: '/login', headers: { ...allowed, ...preflight } });
  t.equal(response.statusCode, 204);
  t.match(response.headers, {
    'access-control-allow-origin': ALLOWED,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'content-type',
  });
});

t.test('no other origin is told that it may read anything', async (t) => {
  const allowing = await testApp({ env: { ORIGIN: OWN, ALLOWED_ORIGINS: ALLOWED } });
  const alone = await testApp({ env: { ORIGIN: OWN } });
  const preflight = { 'access-control-request-method': 'POST' };
  const foreign = ['https://evil.example', 'null', `${ALLOWED}.evil.example`, 'http://app.example.com', OWN];
  for (const { app } of [allowing, alone]) {
    for (const origin of foreign) {
      for (const [method, url] of [
        ['GET', '/session'],
        ['POST', '/login'],
        ['OPTIONS', '/login'],
      ] as const) {
        const { headers } = await app.inject({ method, url, headers: { origin, ...preflight } });
        t.notOk('access-control-allow-origin' in headers, `${method} ${url} from ${origin}`);
      }
    }
  }
  const { headers } = await alone.app.inject({ method: 'GET', url: '/session', headers: allowed });
  t.notOk('access-control-allow-origin' in headers, 'nobody is allowed unless told');
});
