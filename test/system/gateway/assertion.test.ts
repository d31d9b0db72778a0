import { execFileSync } from 'node:child_process';
import t from 'tap';
import { systemClock } from '../../../src/clock.ts';
import { createAssertions } from '../../../src/gateway/assertion.ts';
import { forgeries } from '../../support/forgeries.ts';
import { pythonWithJwt } from '../../support/programs.ts';

const [OLD, NEW, STRANGER] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer];
const ISSUER = 'https://login.example.com';
const AUDIENCE = 'https://app.example.com';
const ALICE = { sub: 'alice', amr: ['pwd', 'otp', 'sms'], authTime: 1_800_000_000 };

const assertions = ({
  keys = [OLD],
  issuer = ISSUER,
  audience = [AUDIENCE],
  clock = systemClock,
}: Partial<Parameters<typeof createAssertions>[0]> = {}) => createAssertions({ keys, issuer, audience, clock });

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
  const own = assertions({ keys: [NEW, OLD] });
  const late = assertions({ clock: () => systemClock() - 61_000, keys: [NEW] });
  const token = await own.sign(ALICE);
  const forged = forgeries(token, own);
  const tokens = {
    good: [token, AUDIENCE],
    'old key': [await assertions().sign({ ...ALICE, jti: 'one' }), AUDIENCE],
    'several audiences': [await assertions({ audience: ['inbox', AUDIENCE] }).sign(ALICE), AUDIENCE],
    'wrong audience': [token, 'https://other.example'],
    'wrong issuer': [await assertions({ issuer: 'https://other.example' }).sign(ALICE), AUDIENCE],
    expired: [await late.sign(ALICE), AUDIENCE],
    stranger: [await assertions({ keys: [STRANGER] }).sign(ALICE), AUDIENCE],
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
