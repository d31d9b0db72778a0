import Fastify from 'fastify';
import sodium from 'sodium-native';
import t from 'tap';
import { createCodec } from '../../src/seal/codec.ts';
import { deriveKeys, type SealKeys } from '../../src/seal/keys.ts';

const key = Buffer.alloc(32, 1);
const codecOf = (keys: SealKeys) => createCodec(Fastify(), keys);

/** Seals any text with libsodium itself, as somebody with our key could. */
function sealRaw(text: string, withKey: Buffer): string {
  const nonce = Buffer.alloc(sodium.crypto_secretbox_NONCEBYTES, 3);
  const message = Buffer.from(text);
  const cipher = Buffer.alloc(message.length + sodium.crypto_secretbox_MACBYTES);
  sodium.crypto_secretbox_easy(cipher, message, nonce, withKey);
  return `${cipher.toString('base64')};${nonce.toString('base64')}`;
}

t.test('what was sealed for a purpose opens for that purpose only', async (t) => {
  const codec = await codecOf(deriveKeys([key]));
  const sealed = codec.seal('challenge', { a: 'ä', n: 1 });
  t.strictSame(codec.open('challenge', sealed), { a: 'ä', n: 1 });
  t.equal(codec.open('session', sealed), null);
  t.equal(codec.open('verification', sealed), null);
  t.not(codec.seal('challenge', { a: 1 }), codec.seal('challenge', { a: 1 }), 'a nonce is never used again');
});

t.test('keys rotate: the first seals, all open, a dropped one no longer does', async (t) => {
  const [older, newer] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const before = await codecOf(deriveKeys([older]));
  const during = await codecOf(deriveKeys([newer, older]));
  const after = await codecOf(deriveKeys([newer]));
  const old = before.seal('session', { v: 1 });
  t.strictSame(during.open('session', old), { v: 1 });
  t.equal(after.open('session', old), null);
  const young = during.seal('session', { v: 2 });
  t.strictSame(after.open('session', young), { v: 2 });
  t.equal(before.open('session', young), null);
});

t.test('every flipped bit and every truncation is refused', async (t) => {
  const codec = await codecOf(deriveKeys([key]));
  const sealed = codec.seal('challenge', { a: 1 });
  for (let index = 0; index < sealed.length; index += 1) {
    for (let bit = 0; bit < 7; bit += 1) {
      const flipped =
        sealed.slice(0, index) + String.fromCharCode(sealed.charCodeAt(index) ^ (1 << bit)) + sealed.slice(index + 1);
      if (codec.open('challenge', flipped) !== null) t.fail(`opened with bit ${bit} of character ${index} flipped`);
    }
    if (codec.open('challenge', sealed.slice(0, index)) !== null) t.fail(`opened cut at ${index}`);
  }
  for (const other of [
    '',
    ';',
    ';;',
    'a;b',
    `${sealed};`,
    `;${sealed}`,
    ` ${sealed}`,
    `${sealed}\n`,
    'x'.repeat(5000),
  ]) {
    t.equal(codec.open('challenge', other), null);
  }
});

t.test('a sealed value that is no JSON object is nothing, and no error', async (t) => {
  const codec = await codecOf(deriveKeys([key]));
  const challengeKey = deriveKeys([key]).challenge[0] ?? key;
  t.strictSame(codec.open('challenge', sealRaw('{"a":1}', challengeKey)), { a: 1 }, 'the raw sealing is right');
  for (const text of ['', 'null', '{', 'undefined', '\u0000']) {
    t.equal(codec.open('challenge', sealRaw(text, challengeKey)), null, JSON.stringify(text));
  }
  for (const text of [
    '7',
    '"text"',
    '[]',
    'true',
    '{"__ts":"x"}',
    '{"__ts":-1e30}',
    '{"__proto__":{"typ":"challenge"}}',
  ]) {
    t.doesNotThrow(() => codec.open('challenge', sealRaw(text, challengeKey)), text);
  }
});

t.test('our own expiry is the truth: what was sealed long ago by the machine clock still opens', async (t) => {
  const codec = await codecOf(deriveKeys([key]));
  const challengeKey = deriveKeys([key]).challenge[0] ?? key;
  t.strictSame(codec.open('challenge', sealRaw('{"a":1,"__ts":1}', challengeKey)), { a: 1 });
});

t.test('a key of the wrong length is refused at once', async (t) => {
  const short = [Buffer.alloc(31)];
  await t.rejects(codecOf({ challenge: short, session: short, notice: short, verification: short, call: short }));
});
