import { createPublicKey, sign, verify } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import t from 'tap';
import { createSigningKey } from '../../src/gateway/signing-key.ts';
import { seededRandom } from '../support/build-app.ts';

/** RFC 8037 appendix A.1 and A.2: the key; A.3: its thumbprint; A.4: a signature. */
const RFC_8037 = {
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  thumbprint: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  signed: 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc',
  signature: 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
};

t.test('RFC 8037 appendix A: the public key, its thumbprint and the signature', async (t) => {
  const { privateKey, publicJwk } = createSigningKey(Buffer.from(RFC_8037.d, 'base64url'));
  t.strictSame(publicJwk, {
    kty: 'OKP',
    crv: 'Ed25519',
    x: RFC_8037.x,
    kid: RFC_8037.thumbprint,
    use: 'sig',
    alg: 'EdDSA',
  });
  t.equal(sign(null, Buffer.from(RFC_8037.signed), privateKey).toString('base64url'), RFC_8037.signature);
});

t.test('RFC 8032 §7.1: the other keys and signatures', async (t) => {
  const vectors = [
    {
      seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
    {
      seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      message: 'af82',
      signature:
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    },
  ];
  for (const { seed, publicKey, message, signature } of vectors) {
    const { privateKey, publicJwk } = createSigningKey(Buffer.from(seed, 'hex'));
    t.equal(Buffer.from(publicJwk.x, 'base64url').toString('hex'), publicKey);
    t.equal(sign(null, Buffer.from(message, 'hex'), privateKey).toString('hex'), signature);
  }
});

t.test('the thumbprint is what jose computes, and the public key fits the private one', async (t) => {
  const random = seededRandom('signing keys');
  for (let round = 0; round < 20; round += 1) {
    const { privateKey, publicJwk } = createSigningKey(random(32));
    t.equal(publicJwk.kid, await calculateJwkThumbprint({ ...publicJwk }));
    const { kty, crv, x } = publicJwk;
    const publicKey = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
    const text = Buffer.from(`text ${round}`);
    t.ok(verify(null, text, publicKey, sign(null, text, privateKey)));
  }
});

t.test('nothing but 32 bytes is a seed', async (t) => {
  for (const length of [0, 31, 33, 64]) {
    t.throws(() => createSigningKey(Buffer.alloc(length, 1)), RangeError, `${length} bytes`);
  }
});
