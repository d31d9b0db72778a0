import t from 'tap';
import { type AssertionClaims, MAX_TTL_SECONDS } from '../../src/gateway/assertion.ts';
import { createAssertionCache } from '../../src/gateway/assertion-cache.ts';
import type { Session } from '../../src/session/session.ts';
import { fakeClock } from '../support/fake-clock.ts';

const START = fakeClock()() / 1000;
const session = (id = 'one'): Session => ({
  typ: 'session',
  id,
  sub: 'alice',
  amr: ['pwd', 'otp', 'sms'],
  iat: START,
  exp: START + 3600,
});

function setUp(maxAssertions?: number) {
  const clock = fakeClock();
  const signed: [sub: string, ttlSeconds: number | undefined][] = [];
  const assertions = {
    async sign({ sub, aud }: AssertionClaims, ttlSeconds?: number) {
      signed.push([sub, ttlSeconds]);
      return aud === undefined ? `${sub} ${signed.length}` : `${sub} for ${aud}`;
    },
    jwks: () => ({ keys: [] }),
  };
  return { clock, signed, assertSession: createAssertionCache(assertions, clock, maxAssertions) };
}

t.test('a session is signed for at most once in half a minute, requests at the same time included', async (t) => {
  const { clock, signed, assertSession } = setUp();
  const all = () => Promise.all(Array.from({ length: 20 }, () => assertSession(session(), START + 3600)));
  t.equal(new Set(await all()).size, 1);
  clock.advance(29);
  await all();
  t.equal(signed.length, 1);
  clock.advance(1);
  await all();
  t.equal(signed.length, 2);
  await assertSession(session('two'), START + 3600);
  t.equal(signed.length, 3);
});

t.test('after the clock was set back, no assertion comes out of the future', async (t) => {
  const { clock, signed, assertSession } = setUp();
  clock.advance(3000);
  await assertSession(session(), START + 3600);
  clock.advance(-2900);
  t.equal(await assertSession(session(), START + 3600), 'alice 2');
  await assertSession(session(), START + 3600);
  t.equal(signed.length, 2);
});

t.test('no assertion outlives its session, nor its own end', async (t) => {
  const { clock, signed, assertSession } = setUp();
  await assertSession(session(), START + 10);
  clock.advance(9);
  await assertSession(session(), START + 3600);
  t.equal(signed.length, 1);
  clock.advance(1);
  await assertSession(session(), START + 3600);
  t.strictSame(
    signed.map(([, ttl]) => Math.min(ttl ?? 0, MAX_TTL_SECONDS)),
    [10, 60],
  );
});

t.test('at the last moment of a session there is still one', async (t) => {
  const { signed, assertSession } = setUp();
  await assertSession(session(), START);
  t.strictSame(signed, [['alice', 1]]);
});

t.test('it does not grow beyond its bound: the oldest make room', async (t) => {
  const { signed, assertSession } = setUp(2);
  for (const id of ['one', 'two', 'three', 'three', 'two']) await assertSession(session(id), START + 3600);
  t.equal(signed.length, 3);
  await assertSession(session('one'), START + 3600);
  t.equal(signed.length, 4);
});

t.test('an assertion for one app is never reused for another', async (t) => {
  const { signed, assertSession } = setUp(3);
  const end = START + 3600;
  for (let round = 0; round < 2; round += 1) {
    t.equal(await assertSession(session(), end, 'https://one.example.com'), 'alice for https://one.example.com');
    t.equal(await assertSession(session(), end, 'https://two.example.com'), 'alice for https://two.example.com');
    t.equal(await assertSession(session(), end), 'alice 3');
  }
  t.equal(signed.length, 3, 'each is signed once');
  await assertSession(session(), end, 'https://three.example.com');
  await assertSession(session(), end, 'https://one.example.com');
  t.equal(signed.length, 5, 'audiences count towards the bound');
});
