import { createLocalJWKSet, jwtVerify } from 'jose';
import t from 'tap';
import { createAssertions } from '../../src/gateway/assertion.ts';
import { BROWSER, testApp } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

const PATH = '/.well-known/jwks.json';
const ISSUER = 'https://login.example.com';
const AUDIENCE = 'inbox';
const SEEDS = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

const withKeys = async () => {
  const clock = fakeClock();
  const assertions = createAssertions({ keys: SEEDS, issuer: ISSUER, audience: [AUDIENCE], clock });
  return { ...(await testApp({ clock, ports: { assertions } })), assertions };
};

t.test('the keys by which anyone can check an assertion are there for anybody, for five minutes', async (t) => {
  const { get, assertions, clock } = await withKeys();
  for (const headers of [{}, { accept: 'application/json, application/jwk-set+json' }, BROWSER]) {
    const response = await get(PATH, undefined, headers);
    t.equal(response.statusCode, 200);
    t.equal(response.headers['content-type'], 'application/json; charset=utf-8');
    t.equal(response.headers['cache-control'], 'public, max-age=300');
    t.equal(response.headers['set-cookie'], undefined);
    t.strictSame(response.json(), assertions.jwks());
    const token = await assertions.sign({ sub: 'alice', amr: ['pwd'], authTime: 1 });
    const { payload } = await jwtVerify(token, createLocalJWKSet(response.json()), {
      issuer: ISSUER,
      audience: AUDIENCE,
      currentDate: new Date(clock()),
    });
    t.equal(payload.sub, 'alice');
  }
});

t.test('nothing of the private keys is told', async (t) => {
  const { get, logs } = await withKeys();
  const told = [(await get(PATH)).body, ...logs].join('\n');
  for (const seed of SEEDS) {
    for (const form of ['hex', 'base64', 'base64url'] as const) t.notOk(told.includes(seed.toString(form)));
  }
  t.notMatch(told, '"d":');
});

t.test('only to look at', async (t) => {
  const { app, post } = await withKeys();
  t.equal((await app.inject({ method: 'HEAD', url: PATH })).statusCode, 200);
  t.match((await post(PATH, {})).json(), { status: 405, code: 'method_not_allowed' });
});

t.test('where nothing is signed there are no keys', async (t) => {
  const { get } = await testApp();
  const response = await get(PATH);
  t.match(response.json(), { status: 404, code: 'not_found' });
  t.equal(response.headers['cache-control'], 'no-store');
});
