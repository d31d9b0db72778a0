import Fastify from 'fastify';
import t from 'tap';
import { createCodec } from '../../src/seal/codec.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { openToken, sealToken } from '../../src/seal/token.ts';

t.test('a token is URL-safe and opens again, whatever the length of what it holds', async (t) => {
  const codec = await createCodec(Fastify(), deriveKeys([Buffer.alloc(32, 1)]));
  for (let length = 0; length < 40; length += 1) {
    const payload = { a: 'x'.repeat(length) };
    const token = sealToken(codec, 'verification', payload);
    t.match(token, /^[\w-]+\.[\w-]{32}$/);
    t.strictSame(openToken(codec, 'verification', token), payload);
    t.equal(openToken(codec, 'challenge', token), null, 'for its own purpose only');
  }
});

t.test('what is no token is nothing', async (t) => {
  const codec = await createCodec(Fastify(), deriveKeys([Buffer.alloc(32, 1)]));
  const token = sealToken(codec, 'verification', { a: 1 });
  for (const wrong of ['', '.', 'a.b', `${token}=`, `${token}.`, token.slice(1), token.slice(0, -1), ` ${token}`]) {
    t.equal(openToken(codec, 'verification', wrong), null, wrong);
  }
});
