import { createLocalJWKSet, jwtVerify } from 'jose';
import t from 'tap';
import { createAssertions } from '../../src/gateway/assertion.ts';
import { RECEIPT_TYPE, signReceipt } from '../../src/verifications/receipt.ts';
import { fakeClock } from '../support/fake-clock.ts';

const issuer = 'https://login.example.com';
const verification = {
  typ: 'verification',
  id: 'A'.repeat(22),
  key: 'shop',
  phone: '+15550100101',
  locale: 'en',
  channel: 'sms',
  secret: 'A'.repeat(32),
  iat: 1,
  exp: 61,
  askedAt: 1,
  test: false,
} as const;

t.test('a receipt names the number, how it was proved, and who asked', async (t) => {
  const clock = fakeClock();
  const assertions = createAssertions({ keys: [Buffer.alloc(32, 7)], issuer, audience: ['app'], clock });
  const keys = createLocalJWKSet(assertions.jwks() as never);
  const read = (token: string, typ = RECEIPT_TYPE) =>
    jwtVerify(token, keys, { issuer, audience: 'app', typ, currentDate: new Date(clock()) });
  const now = Math.floor(clock() / 1000);
  const common = { iss: issuer, aud: 'app', sub: '+15550100101', azp: 'shop', jti: verification.id };

  const { payload } = await read(await signReceipt(assertions, verification, clock()));
  t.strictSame(payload, { ...common, amr: ['otp', 'sms'], auth_time: now, iat: now, exp: now + 60 });
  const spoken = await read(await signReceipt(assertions, { ...verification, channel: 'voice' }, clock()));
  t.strictSame(spoken.payload['amr'], ['otp', 'tel']);
  const fixed = await read(await signReceipt(assertions, { ...verification, test: true }, clock()));
  t.strictSame(fixed.payload['amr'], ['test'], 'a test number proves nothing');

  const signIn = await assertions.sign({ sub: 'alice', amr: ['pwd', 'otp', 'sms'], authTime: now });
  await t.rejects(read(signIn), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' }, 'the two kinds are told apart');
  await t.rejects(read(await signReceipt(assertions, verification, clock()), 'JWT'));
});
