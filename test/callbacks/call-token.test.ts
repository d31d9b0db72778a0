import Fastify from 'fastify';
import t from 'tap';
import { openCall, sealCall } from '../../src/callbacks/call-token.ts';
import { createCodec } from '../../src/seal/codec.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { sealToken } from '../../src/seal/token.ts';
import { seededRandom } from '../support/build-app.ts';

const codecOf = (byte: number) => createCodec(Fastify(), deriveKeys([Buffer.alloc(32, byte)]));
const words = { code: '493817', locale: 'en', expiresAt: 1_000_060 };

t.test('what is sealed opens until the code is over', async (t) => {
  const codec = await codecOf(1);
  const token = sealCall(codec, words, seededRandom());
  t.match(openCall(codec, token, 1_000_000_000), { typ: 'call', code: '493817', locale: 'en', exp: 1_000_060 });
  t.match(openCall(codec, token, 1_000_059_999), { code: '493817' });
  t.equal(openCall(codec, token, 1_000_060_000), null);
});

t.test('it fits a URL, and shows nothing', async (t) => {
  const codec = await codecOf(1);
  const token = sealCall(codec, { ...words, code: '4938170000', locale: 'zh-Hant-TW' }, seededRandom());
  t.match(token, /^[\w.-]+$/);
  t.ok(token.length < 400, String(token.length));
  t.notOk(token.includes('493817') || Buffer.from(token, 'base64url').includes('493817'));
});

t.test('no two calls have the same token or id', async (t) => {
  const codec = await codecOf(1);
  const random = seededRandom();
  const tokens = [sealCall(codec, words, random), sealCall(codec, words, random)];
  t.equal(new Set(tokens.map((token) => openCall(codec, token, 0)?.id)).size, 2);
});

t.test('anything else opens nothing', async (t) => {
  const codec = await codecOf(1);
  const token = sealCall(codec, words, seededRandom());
  const good = openCall(codec, token, 0);
  const sealedElsewhere = sealCall(await codecOf(2), words, seededRandom());
  for (const [what, bad] of Object.entries({
    nothing: '',
    noise: 'abc.def',
    'another key': sealedElsewhere,
    'another purpose': sealToken(codec, 'challenge', { ...good }),
    'another type': sealToken(codec, 'call', { ...good, typ: 'challenge' }),
    'no code': sealToken(codec, 'call', { ...good, code: undefined }),
    'a number for a code': sealToken(codec, 'call', { ...good, code: 493817 }),
    'no end': sealToken(codec, 'call', { ...good, exp: undefined }),
    'an end without meaning': sealToken(codec, 'call', { ...good, exp: 'never' }),
    'no id': sealToken(codec, 'call', { ...good, id: 1 }),
    'no locale': sealToken(codec, 'call', { ...good, locale: null }),
    'nothing sealed': sealToken(codec, 'call', {}),
  })) {
    t.equal(openCall(codec, bad, 0), null, what);
  }
});
