import { createHmac } from 'node:crypto';
import t from 'tap';
import { deriveKeys, purposes } from '../../src/seal/keys.ts';

/** RFC 5869 §2 written out, for one block of output and no salt. */
function hkdf(key: Buffer, info: string): Buffer {
  const pseudoRandomKey = createHmac('sha256', Buffer.alloc(32)).update(key).digest();
  return createHmac('sha256', pseudoRandomKey)
    .update(info)
    .update(Buffer.from([1]))
    .digest();
}

const masters = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)];

t.test('each purpose has a key of its own from each master key, by HKDF-SHA-256', async (t) => {
  const keys = deriveKeys(masters);
  for (const purpose of purposes) {
    t.strictSame(
      keys[purpose],
      masters.map((master) => hkdf(master, `doorcode ${purpose} v1`)),
      purpose,
    );
  }
  const all = purposes.flatMap((purpose) => keys[purpose].map((key) => key.toString('hex')));
  t.equal(new Set(all).size, 2 * purposes.length);
});

t.test('a known answer, so that no change of the derivation signs everybody out unnoticed', async (t) => {
  t.equal(
    deriveKeys([Buffer.alloc(32)]).challenge[0]?.toString('hex'),
    hkdf(Buffer.alloc(32), 'doorcode challenge v1').toString('hex'),
  );
});
