import { createHmac, hkdfSync } from 'node:crypto';
import t from 'tap';
import { createSubjectHash } from '../../src/telemetry/subject.ts';

const MASTER = Buffer.alloc(32, 7);

t.test('it can be computed as the documentation says', async (t) => {
  const key = Buffer.from(hkdfSync('sha256', MASTER, '', 'doorcode subject v1', 32));
  const expected = createHmac('sha256', key).update('alice').digest('base64url').slice(0, 16);
  t.equal(createSubjectHash(MASTER)('alice'), expected);
  t.match(expected, /^[\w-]{16}$/);
});

t.test('spellings of one name are one subject; names, and keys, make others', async (t) => {
  const hash = createSubjectHash(MASTER);
  t.equal(hash('ALICE'), hash('alice'));
  t.equal(hash('ａｌｉｃｅ'), hash('alice'));
  t.not(hash('bob'), hash('alice'));
  t.not(createSubjectHash(Buffer.alloc(32, 8))('alice'), hash('alice'));
});
