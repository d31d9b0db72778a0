import { execFileSync } from 'node:child_process';
import { createHmac, createPublicKey } from 'node:crypto';
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, type JWTVerifyOptions, jwtVerify } from 'jose';
import t from 'tap';
import { systemClock } from '../../src/clock.ts';
import { type Assertions, createAssertions } from '../../src/gateway/assertion.ts';
import { fakeClock, START_SECONDS } from '../support/fake-clock.ts';
import { pythonWithJwt } from '../support/programs.ts';

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

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What somebody without the private key might try, given a good token. */
function forgeries(token: string, { jwks }: Assertions): Record<string, string> {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const flipped = (index: number) => {
    const copy = Buffer.from(bytes);
    copy[index] = (copy[index] ?? 0) ^ 1;
    return copy.toString('base64url');
  };
  const { kid, ...head } = JSON.parse(Buffer.from(header, 'base64url').toString());
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const [key] = jwks().keys;
  if (key === undefined) throw new Error('there is no key');
  const publicKey = createPublicKey({ key: { kty: key.kty, crv: key.crv, x: key.x }, format: 'jwk' });
  // RFC 8725 §2.1: the public key, in whatever form, taken for a shared secret.
  const hmac = (secret: string | Buffer) => {
    const input = `${encode({ ...head, alg: 'HS256', kid })}.${claims}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  return {
    'first bit of the signature': `${header}.${claims}.${flipped(0)}`,
    'last bit of the signature': `${header}.${claims}.${flipped(63)}`,
    'another subject': `${header}.${encode({ ...said, sub: 'bob' })}.${signature}`,
    'a longer life': `${header}.${encode({ ...said, exp: said.exp + 1 })}.${signature}`,
    'another header': `${encode({ ...head, kid, extra: 1 })}.${claims}.${signature}`,
    'no signature': `${header}.${claims}.`,
    'alg none': `${encode({ ...head, alg: 'none' })}.${claims}.`,
    'alg none with kid': `${encode({ ...head, alg: 'none', kid })}.${claims}.${signature}`,
    'HS256 with the raw public key': hmac(Buffer.from(key.x, 'base64url')),
    'HS256 with the public key as text': hmac(key.x),
    'HS256 with the public key as PEM': hmac(publicKey.export({ type: 'spki', format: 'pem' })),
    'HS256 with the public key as JWK': hmac(JSON.stringify(key)),
    'HS256 with the public key as DER': hmac(publicKey.export({ type: 'spki', format: 'der' })),
  };
}

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

// Reads { jwks, issuer, tokens: { name: [token, audience] } } and says of each token its claims, or why it is refused.
const PYJWT = `
import json, sys
import jwt
given = json.load(sys.stdin)
keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(given['jwks']).keys}
def check(token, audience):
    try:
        key = keys.get(jwt.get_unverified_header(token).get('kid'), next(iter(keys.values())))
        return jwt.decode(token, key, algorithms=['EdDSA'], issuer=given['issuer'], audience=audience,
                          options={'require': ['exp', 'iat', 'sub']})
    except jwt.PyJWTError as error:
        return type(error).__name__
print(json.dumps({name: check(*pair) for name, pair in given['tokens'].items()}))
`;

t.test('PyJWT comes to the same answers', async (t) => {
  const python = pythonWithJwt(t);
  if (python === null) return;
  // PyJWT goes by the machine's own time.
  const own = assertions({ clock: systemClock, keys: [NEW, RFC_8037] });
  const late = assertions({ clock: () => systemClock() - 61_000, keys: [NEW] });
  const token = await own.sign(ALICE);
  const forged = forgeries(token, own);
  const tokens = {
    good: [token, AUDIENCE],
    'old key': [await assertions({ clock: systemClock }).sign({ ...ALICE, jti: 'one' }), AUDIENCE],
    'several audiences': [
      await assertions({ clock: systemClock, audience: ['inbox', AUDIENCE] }).sign(ALICE),
      AUDIENCE,
    ],
    'wrong audience': [token, 'https://other.example'],
    'wrong issuer': [await assertions({ clock: systemClock, issuer: 'https://other.example' }).sign(ALICE), AUDIENCE],
    expired: [await late.sign(ALICE), AUDIENCE],
    stranger: [await assertions({ clock: systemClock, keys: [STRANGER] }).sign(ALICE), AUDIENCE],
    ...Object.fromEntries(Object.entries(forged).map(([name, forgery]) => [name, [forgery, AUDIENCE]])),
  };
  const input = JSON.stringify({ jwks: own.jwks(), issuer: ISSUER, tokens });
  const answers = JSON.parse(execFileSync(python, ['-c', PYJWT], { input, encoding: 'utf8' }));

  const { good, 'old key': old, 'several audiences': several, ...refused } = answers;
  t.match(good, { iss: ISSUER, aud: AUDIENCE, sub: 'alice', amr: ['pwd', 'otp', 'sms'], auth_time: ALICE.authTime });
  t.equal(good.exp - good.iat, 60);
  t.match(old, { sub: 'alice', jti: 'one' });
  t.strictSame(several.aud, ['inbox', AUDIENCE]);
  const forgedAnswers = Object.keys(forged).map((name) => [
    name,
    /none|HS256/.test(name) ? 'InvalidAlgorithmError' : 'InvalidSignatureError',
  ]);
  t.strictSame(refused, {
    'wrong audience': 'InvalidAudienceError',
    'wrong issuer': 'InvalidIssuerError',
    expired: 'ExpiredSignatureError',
    stranger: 'InvalidSignatureError',
    ...Object.fromEntries(forgedAnswers),
  });
});
