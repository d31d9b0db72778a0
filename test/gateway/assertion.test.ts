import { compactVerify, createLocalJWKSet, decodeProtectedHeader, type JWTVerifyOptions, jwtVerify } from 'jose';
import t from 'tap';
import { type Assertions, createAssertions } from '../../src/gateway/assertion.ts';
import { fakeClock, START_SECONDS } from '../support/fake-clock.ts';
import { forgeries } from '../support/forgeries.ts';

/** RFC 8037 appendix A.1, and two seeds of our own. */
const RFC_8037 = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url');
const NEW = Buffer.alloc(32, 1);
const STRANGER = Buffer.alloc(32, 2);

const ISSUER = 'https://login.example.com';
const AUDIENCE = 'https://app.example.com';
const ALICE = { sub: 'alice', amr: ['pwd', 'otp', 'sms'], authTime: START_SECONDS - 100 };

const assertions = ({
  keys = [RFC_8037],
  issuer = ISSUER,
  audience = [AUDIENCE],
  clock = fakeClock(),
}: Partial<Parameters<typeof createAssertions>[0]> = {}) => createAssertions({ keys, issuer, audience, clock });

/** A set of keys as somebody else gets them: as text. */
const published = ({ jwks }: Assertions) => createLocalJWKSet(JSON.parse(JSON.stringify(jwks())));

const verify = (token: string, from: Assertions, atSeconds = START_SECONDS, options: JWTVerifyOptions = {}) =>
  jwtVerify(token, published(from), {
    issuer: ISSUER,
    audience: AUDIENCE,
    currentDate: new Date(atSeconds * 1000),
    ...options,
  });

t.test('RFC 8037 appendix A: who has our published keys can check the example', async (t) => {
  const example =
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.' +
    'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';
  const own = assertions();
  t.equal(own.jwks().keys[0]?.kid, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  const { payload } = await compactVerify(example, published(own));
  t.equal(Buffer.from(payload).toString(), 'Example of Ed25519 signing');
  await t.rejects(compactVerify(example.replace('.hgyY', '.hgyZ'), published(own)));
});

t.test('an assertion says who, how, when, by whom and for whom, for a minute', async (t) => {
  const clock = fakeClock(START_SECONDS + 0.9);
  const own = assertions({ clock });
  const token = await own.sign(ALICE);
  const { payload, protectedHeader } = await verify(token, own);
  t.strictSame(protectedHeader, { alg: 'EdDSA', typ: 'JWT', kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k' });
  t.strictSame(payload, {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'alice',
    amr: ['pwd', 'otp', 'sms'],
    auth_time: START_SECONDS - 100,
    iat: START_SECONDS,
    exp: START_SECONDS + 60,
  });
  t.match((await verify(await own.sign({ ...ALICE, jti: 'one' }), own)).payload, { sub: 'alice', jti: 'one' });
  const names = ['Zoë 😀', 'a"b\\c', 'x'.repeat(1024)];
  for (const sub of names) t.equal((await verify(await own.sign({ ...ALICE, sub }), own)).payload.sub, sub);
});

t.test('it lives as long as it is told, a minute at most, and not at all is too short', async (t) => {
  const own = assertions();
  const lives: [number, number][] = [
    [1, 1],
    [7, 7],
    [7.9, 7],
    [60, 60],
    [61, 60],
    [43_200, 60],
    [Number.POSITIVE_INFINITY, 60],
  ];
  for (const [asked, got] of lives) {
    const { payload } = await verify(await own.sign(ALICE, asked), own);
    t.equal(payload.exp, START_SECONDS + got, `${asked} s`);
  }
  for (const asked of [0, 0.9, -1, Number.NaN]) await t.rejects(own.sign(ALICE, asked), RangeError, `${asked} s`);
});

t.test('after its life it is refused', async (t) => {
  const own = assertions();
  const token = await own.sign(ALICE);
  t.ok(await verify(token, own, START_SECONDS + 59));
  await t.rejects(verify(token, own, START_SECONDS + 60), { code: 'ERR_JWT_EXPIRED' });
  await t.rejects(verify(token, own, START_SECONDS + 43_200), { code: 'ERR_JWT_EXPIRED' });
});

t.test('it is refused by whom it is not for, and from anybody else', async (t) => {
  const own = assertions();
  const failed = { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' };
  const token = await own.sign(ALICE);
  await t.rejects(verify(token, own, START_SECONDS, { audience: 'https://other.example' }), {
    ...failed,
    claim: 'aud',
  });
  await t.rejects(verify(token, own, START_SECONDS, { issuer: 'https://other.example' }), { ...failed, claim: 'iss' });
  // The same words, signed by a key that is not ours, under its own name and under ours.
  await t.rejects(verify(await assertions({ keys: [STRANGER] }).sign(ALICE), own), {
    code: 'ERR_JWKS_NO_MATCHING_KEY',
  });
  const [, claims, signature] = (await assertions({ keys: [STRANGER] }).sign(ALICE)).split('.');
  await t.rejects(verify([token.split('.')[0], claims, signature].join('.'), own), {
    code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  });
});

t.test('one audience is a string, several are a list, and each of them takes it', async (t) => {
  const own = assertions({ audience: ['inbox', AUDIENCE] });
  const token = await own.sign(ALICE);
  for (const audience of ['inbox', AUDIENCE]) {
    t.strictSame((await verify(token, own, START_SECONDS, { audience })).payload.aud, ['inbox', AUDIENCE]);
  }
  await t.rejects(verify(token, own, START_SECONDS, { audience: 'other' }), {
    code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  });
});

t.test('what is changed or forged is refused, whether or not the verifier names the algorithm', async (t) => {
  const own = assertions();
  for (const [forgery, token] of Object.entries(forgeries(await own.sign(ALICE), own))) {
    for (const options of [{}, { algorithms: ['EdDSA'] }]) {
      await t.rejects(verify(token, own, START_SECONDS, options), { code: /^ERR_(?:JWS|JOSE|JWKS)_/ }, forgery);
    }
  }
});

t.test('keys change without an assertion refused: published second, then first, then alone', async (t) => {
  const [before, announced, changed, after] = [[RFC_8037], [RFC_8037, NEW], [NEW, RFC_8037], [NEW]].map((keys) =>
    assertions({ keys }),
  ) as [Assertions, Assertions, Assertions, Assertions];
  const kids = (from: Assertions) => from.jwks().keys.map(({ kid }) => kid);
  const [old = '', fresh = ''] = kids(announced);
  t.strictSame([before, announced, changed, after].map(kids), [[old], [old, fresh], [fresh, old], [fresh]]);

  const signers = { before, announced, changed, after };
  const signedBy = { before: old, announced: old, changed: fresh, after: fresh };
  for (const [name, signer] of Object.entries(signers)) {
    const { kid } = decodeProtectedHeader(await signer.sign(ALICE));
    t.equal(kid, signedBy[name as keyof typeof signedBy], name);
  }
  // Who has the keys of one step takes what is signed in it, and in the one before and after.
  for (const [signer, verifier] of [
    [before, announced],
    [announced, before],
    [announced, changed],
    [changed, announced],
    [changed, after],
    [after, changed],
  ] as const) {
    t.ok(await verify(await signer.sign(ALICE), verifier));
  }
  await t.rejects(verify(await announced.sign(ALICE), after), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  await t.rejects(verify(await changed.sign(ALICE), before), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
});

t.test('what is published holds public keys only', async (t) => {
  const { keys } = assertions({ keys: [RFC_8037, NEW] }).jwks();
  t.equal(keys.length, 2);
  for (const key of keys) t.strictSame(Object.keys(key).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
});

t.test('without a key, an audience or a whole seed there is nothing to sign with', async (t) => {
  t.throws(() => assertions({ keys: [] }), RangeError);
  t.throws(() => assertions({ audience: [] }), RangeError);
  t.throws(() => assertions({ keys: [RFC_8037, Buffer.alloc(31)] }), RangeError);
});
