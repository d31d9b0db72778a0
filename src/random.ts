import { randomFillSync } from 'node:crypto';

/** Bytes that are drawn together: asking for a few at a time costs more than all else that a session is made of. */
const POOL_BYTES = 4096;

/**
 * Random bytes for production, from `node:crypto` by the pool. Each byte is given out once, and is no longer in the pool
 * then.
 *
 * @param poolBytes how many are drawn at a time
 */
export function createRandomBytes(poolBytes = POOL_BYTES): (length: number) => Buffer {
  const pool = Buffer.alloc(poolBytes);
  let used = poolBytes;

  return (length) => {
    if (length > poolBytes) return randomFillSync(Buffer.alloc(length));
    if (used + length > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    const bytes = Buffer.from(pool.subarray(used, used + length));
    pool.fill(0, used, used + length);
    used += length;
    return bytes;
  };
}
