import { execFileSync } from 'node:child_process';
import t from 'tap';
import { deriveKeys } from '../../src/seal/keys.ts';
import { CookieJar, PASSWORD, testApp } from '../support/build-app.ts';
import { program, pythonWithNacl } from '../support/programs.ts';

// Opens what @fastify/secure-session sealed with another libsodium binding, from the master key on.
const OPEN = `
import base64, hashlib, hmac, json, sys, urllib.parse
import nacl.secret
master, cookie = base64.b64decode(sys.argv[1]), urllib.parse.unquote(sys.argv[2])
prk = hmac.new(bytes(32), master, hashlib.sha256).digest()
key = hmac.new(prk, b'doorcode challenge v1' + bytes([1]), hashlib.sha256).digest()
cipher, nonce = (base64.b64decode(part) for part in cookie.split(';'))
print(nacl.secret.SecretBox(key).decrypt(cipher, nonce).decode())
`;

t.test('the code that was sent is what oathtool computes from the cookie, opened by another libsodium', async (t) => {
  const python = pythonWithNacl(t);
  const oathtool = program(t, 'oathtool');
  if (python === null || oathtool === null) return;

  const master = Buffer.from('an example master key, 32 bytes!');
  for (const [digits, ttl, offset] of [
    [6, 60, 0],
    [6, 60, 37.2],
    [8, 120, 59.999],
    [6, 30, 13],
  ] as const) {
    const { post, clock, messages } = await testApp({
      env: { OTP_DIGITS: `${digits}`, OTP_TTL: `${ttl}` },
      ports: { keys: deriveKeys([master]) },
    });
    clock.advance(offset);
    const jar = new CookieJar();
    await post('/login', { username: 'alice', password: PASSWORD, next: '/inbox' }, jar);
    const cookie = jar.cookies.get('doorcode-challenge') ?? '';
    const challenge = JSON.parse(
      execFileSync(python, ['-c', OPEN, master.toString('base64'), cookie], { encoding: 'utf8' }),
    );
    t.match(challenge, {
      typ: 'challenge',
      sub: 'alice',
      phone: '+15550100101',
      channel: 'sms',
      iat: Math.ceil(clock() / 1000),
      exp: Math.ceil(clock() / 1000) + ttl,
      next: '/inbox',
    });
    for (const now of [challenge.iat, challenge.iat + ttl - 1]) {
      const code = execFileSync(
        oathtool,
        [
          '--totp',
          '-b',
          '-d',
          `${digits}`,
          '-s',
          `${ttl}s`,
          '--start-time',
          `@${challenge.iat}`,
          '-N',
          `@${now}`,
          challenge.secret,
        ],
        { encoding: 'utf8' },
      ).trim();
      t.equal(code, messages[0]?.code, `${digits} digits, ${ttl} s, at ${now - challenge.iat} s`);
    }
  }
});
