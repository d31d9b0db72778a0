import t from 'tap';
import { BROWSER, testApp } from '../support/build-app.ts';

/** Headers that every answer has, and some that none has twice. */
const EVERYWHERE = ['content-security-policy', 'x-frame-options', 'x-content-type-options', 'referrer-policy'];

t.test('an address that cannot be decoded is answered like any other that is wrong', async (t) => {
  const { get, app, logs, lifecycle } = await testApp({ env: { ALLOWED_ORIGINS: 'https://app.example.com' } });
  const ordinary = await get('/nowhere');
  for (const url of ['/%E0', '/%zz482915', '/login/%', '/%C0%80?next=%2F', '/%E0?x=%E0']) {
    logs.length = 0;
    const response = await get(url);
    t.equal(response.statusCode, 400, url);
    t.match(response.headers, { 'content-type': /^application\/problem\+json\b/, 'cache-control': 'no-store' });
    t.match(response.json(), { status: 400, code: 'invalid_request', detail: 'the request could not be read' });
    for (const name of EVERYWHERE) t.equal(response.headers[name], ordinary.headers[name], name);
    const lines = logs.map((line) => JSON.parse(line));
    t.match(
      lines.filter(({ msg }) => msg === 'request'),
      [{ method: 'GET', route: null, status: 400 }],
    );
    t.equal(lines.length, 2, 'two lines, as for every request that is wrong: what it was, and that it was answered');
    t.notMatch(logs.join('') + response.body, '482915');
  }
  t.equal(
    (await app.inject({ method: 'POST', url: '/%E0', headers: { 'sec-fetch-site': 'cross-site' } })).statusCode,
    403,
  );
  const other = await get('/%E0', undefined, { origin: 'https://app.example.com' });
  t.equal(other.headers['access-control-allow-origin'], 'https://app.example.com');

  const page = await get('/%E0', undefined, BROWSER);
  t.match(page, { statusCode: 400, headers: { 'content-type': 'text/html; charset=utf-8' } });

  lifecycle.draining = true;
  t.equal((await get('/%E0')).headers['connection'], 'close');
});

t.test("a parameter that is too long is the client's fault as well", async (t) => {
  const { app } = await testApp();
  app.get('/items/:id', async () => 'found');
  t.equal((await app.inject('/items/1')).body, 'found');
  const response = await app.inject(`/items/${'x'.repeat(101)}`);
  t.match(response.json(), { status: 414, code: 'invalid_request' });
  t.equal(response.headers['x-frame-options'], 'DENY');
});

t.test('the address that refused requests are sent to is none of ours', async (t) => {
  const { get } = await testApp();
  t.equal((await get('/router-error')).statusCode, 404);
});
