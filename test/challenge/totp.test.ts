import { randomBytes } from 'node:crypto';
import t from 'tap';
import { generateSecret, totp, verifyTotp } from '../../src/challenge/totp.ts';

/** The ASCII secret "12345678901234567890" of both RFCs, in base32. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

t.test('RFC 4226 appendix D: HOTP is TOTP with one-second steps counted from zero', async (t) => {
  const codes = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ');
  for (const [counter, code] of codes.entries()) {
    t.equal(totp(SECRET, { periodSeconds: 1, t0: 0, epoch: counter, digits: 6 }), code, `counter ${counter}`);
  }
});

t.test('RFC 6238 appendix B: the SHA-1 vectors, eight digits', async (t) => {
  const vectors: [epoch: number, code: string][] = [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ];
  for (const [epoch, code] of vectors) {
    const step = { periodSeconds: 30, t0: 0, epoch, digits: 8 };
    t.equal(totp(SECRET, step), code, `at ${epoch}`);
    t.ok(verifyTotp(SECRET, code, step), `${code} is accepted at ${epoch}`);
    t.notOk(verifyTotp(SECRET, code, { ...step, epoch: epoch + 60 }), `${code} is refused two steps later`);
    t.notOk(verifyTotp(SECRET, code, { ...step, epoch: epoch - 60 < 0 ? epoch + 90 : epoch - 60 }));
  }
});

t.test('T0 shifts where steps begin', async (t) => {
  const digits = 6;
  const first = totp(SECRET, { periodSeconds: 60, t0: 1000, epoch: 1000, digits });
  t.equal(first, '755224');
  t.equal(totp(SECRET, { periodSeconds: 60, t0: 1000, epoch: 1059, digits }), first);
  t.equal(totp(SECRET, { periodSeconds: 60, t0: 1000, epoch: 1060, digits }), '287082');
});

t.test('a code of another length, or of other digits, is wrong', async (t) => {
  const step = { periodSeconds: 30, t0: 0, epoch: 59, digits: 8 };
  for (const code of ['', '94287082 ', '9428708', '942870820', '94287083', '٩٤٢٨٧٠٨٢', '９４２８７０８２']) {
    t.notOk(verifyTotp(SECRET, code, step), JSON.stringify(code));
  }
});

t.test('six to ten digits keep their leading zeros', async (t) => {
  const step = { periodSeconds: 30, t0: 0, epoch: 59 };
  t.equal(totp(SECRET, { ...step, digits: 9 }), '094287082');
  t.equal(totp(SECRET, { ...step, digits: 10 }), '1094287082');
});

t.test('a secret is 20 bytes of the given randomness in base32 without padding', async (t) => {
  t.equal(
    generateSecret(() => Buffer.from('12345678901234567890')),
    SECRET,
  );
  t.match(generateSecret(randomBytes), /^[A-Z2-7]{32}$/);
  t.not(generateSecret(randomBytes), generateSecret(randomBytes));
});
