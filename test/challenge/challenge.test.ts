import t from 'tap';
import { type Challenge, check, draft, keepUntil, open, parseChallenge, renew } from '../../src/challenge/challenge.ts';
import { totp } from '../../src/challenge/totp.ts';
import { seededRandom, wrongCode } from '../support/build-app.ts';

const TTL = 60;
const LOGIN_TTL = 600;
const START = 1_893_456_000;
const fields = {
  sub: 'alice',
  phone: '+15550100101',
  locale: 'en',
  channel: 'sms' as const,
  loginAt: START,
  next: '/',
};

function issue(acceptedAtMs: number, digits = 6): { challenge: Challenge; code: string } {
  const drafted = draft(seededRandom(String(acceptedAtMs)), digits);
  const loginAt = Math.floor(acceptedAtMs / 1000);
  return { challenge: open(drafted, { ...fields, loginAt }, acceptedAtMs, TTL), code: drafted.code };
}

t.test('a code lives its 60 seconds, at whatever second of the minute it was sent', async (t) => {
  for (let second = 0; second < 60; second += 1) {
    const sentAt = START + second;
    const { challenge, code } = issue(sentAt * 1000);
    const at = (offset: number) => check(challenge, code, (sentAt + offset) * 1000, 6);
    t.strictSame(
      { 0: at(0), 59: at(59), '59.999': at(59.999), 60: at(60), 3600: at(3600) },
      { 0: 'match', 59: 'match', '59.999': 'match', 60: 'expired', 3600: 'expired' },
      `sent at :${second}`,
    );
    t.equal(challenge.exp - challenge.iat, TTL);
  }
});

t.test('the code of the next step, which nobody was sent, never matches', async (t) => {
  for (let second = 0; second < 60; second += 1) {
    const sentAt = START + second;
    const { challenge, code } = issue(sentAt * 1000);
    for (const step of [1, 2]) {
      const epoch = challenge.iat + step * TTL;
      const other = totp(challenge.secret, { periodSeconds: TTL, t0: challenge.iat, epoch, digits: 6 });
      if (other === code) continue;
      for (const offset of [-5, 0, 30, 59, 60, 61, 90]) {
        t.not(check(challenge, other, (sentAt + offset) * 1000, 6), 'match', `:${second} step ${step} at ${offset}`);
      }
    }
  }
});

t.test('accepted within a second, a code lives never less than its time and less than a second more', async (t) => {
  for (const millis of [1, 250, 500, 999]) {
    const acceptedAtMs = START * 1000 + millis;
    const { challenge, code } = issue(acceptedAtMs);
    t.equal(challenge.iat, START + 1, 'rounded up');
    t.equal(check(challenge, code, acceptedAtMs, 6), 'match', 'at once, before the rounded second has come');
    t.equal(check(challenge, code, acceptedAtMs + TTL * 1000 - 1, 6), 'match');
    t.equal(check(challenge, code, acceptedAtMs + (TTL + 1) * 1000, 6), 'expired');
  }
});

t.test('a replica whose clock is behind by up to five seconds accepts, beyond that refuses', async (t) => {
  const { challenge, code } = issue(START * 1000);
  t.equal(check(challenge, code, (START - 5) * 1000, 6), 'match');
  t.equal(check(challenge, code, (START - 6) * 1000, 6), 'early');
});

t.test('wrong codes and codes of another length do not match', async (t) => {
  const { challenge, code } = issue(START * 1000);
  for (const wrong of [wrongCode(code), '', code.slice(1), `${code}0`, ` ${code}`, `${code}\n`]) {
    t.equal(check(challenge, wrong, START * 1000, 6), 'mismatch', JSON.stringify(wrong));
  }
});

t.test('six to ten digits work alike', async (t) => {
  for (const digits of [6, 7, 8, 9, 10]) {
    const { challenge, code } = issue(START * 1000, digits);
    t.equal(code.length, digits);
    t.equal(check(challenge, code, START * 1000, digits), 'match');
  }
});

t.test('a challenge follows its draft, and renewing replaces id, secret and code', async (t) => {
  const random = seededRandom();
  const drafted = draft(random, 6);
  const challenge = open(drafted, fields, START * 1000, TTL);
  t.match(challenge, { typ: 'challenge', ...fields, iat: START, exp: START + 60 });
  t.match(challenge.id, /^[\w-]{22}$/);
  const renewed = renew(challenge, random, 6);
  t.not(renewed.id, drafted.id);
  t.not(renewed.secret, drafted.secret);
  t.not(renewed.code, drafted.code);
});

t.test('never the same code twice in a row: secrets are drawn until the code differs', async (t) => {
  const first = draft(seededRandom('again'), 6);
  const challenge = open(first, fields, START * 1000, TTL);
  // The same bytes once more give the same secret, hence the same code; the draw after that must be taken.
  const replay = seededRandom('again');
  const renewed = renew(challenge, replay, 6);
  t.not(renewed.secret, first.secret);
  t.not(renewed.code, first.code);
});

t.test('a challenge is kept for its login, and for a last code that outlives it', async (t) => {
  const { challenge } = issue(START * 1000);
  t.equal(keepUntil(challenge, LOGIN_TTL), START + LOGIN_TTL);
  t.equal(keepUntil({ ...challenge, iat: START + 599, exp: START + 659 }, LOGIN_TTL), START + 659);
});

t.test('a challenge reads back as it was, also when a newer version has added to it', async (t) => {
  const { challenge } = issue(START * 1000);
  t.strictSame(parseChallenge(JSON.parse(JSON.stringify(challenge)), START * 1000, LOGIN_TTL), challenge);
  t.ok(parseChallenge({ ...challenge, more: true }, START * 1000, LOGIN_TTL));
});

t.test('anything amiss is no challenge', async (t) => {
  const { challenge } = issue(START * 1000);
  const wrongs: Record<string, unknown>[] = [];
  for (const field of Object.keys(challenge)) {
    for (const value of [undefined, null, '', 0, -1, 1.5, Number.NaN, '1', true, [], {}, ['sms'], { toString: 1 }]) {
      // A user may well be called 1.
      if (!(field === 'sub' && value === '1')) wrongs.push({ [field]: value });
    }
  }
  wrongs.push(
    { typ: 'session' },
    { id: 'x'.repeat(21) },
    { id: `${'x'.repeat(22)}\n` },
    { sub: 'x'.repeat(1025) },
    { phone: '15550100101' },
    { phone: '+0555010010' },
    { locale: 'e' },
    { channel: 'fax' },
    { secret: 'A'.repeat(31) },
    { secret: 'a'.repeat(32) },
    { secret: '1'.repeat(32) },
    { exp: START },
    { exp: START - 1 },
    { iat: START + 6, exp: START + 66 },
    { iat: START - 1 },
    { loginAt: START + 1 },
    { next: '//evil.example' },
    { next: `/${'x'.repeat(2049)}` },
  );
  for (const wrong of wrongs) {
    t.equal(parseChallenge({ ...challenge, ...wrong }, START * 1000, LOGIN_TTL), null, JSON.stringify(wrong));
  }
  for (const value of [undefined, null, 'challenge', 7, [], [challenge], () => challenge]) {
    t.equal(parseChallenge(value, START * 1000, LOGIN_TTL), null);
  }
});

t.test('a login that is over is no challenge', async (t) => {
  const { challenge } = issue(START * 1000);
  t.ok(parseChallenge(challenge, (START + 599) * 1000, LOGIN_TTL));
  t.equal(parseChallenge(challenge, (START + 600) * 1000, LOGIN_TTL), null);
});
