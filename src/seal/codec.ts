import secureSession from '@fastify/secure-session';
import type { FastifyInstance } from 'fastify';
import { type Purpose, purposes, type SealKeys } from './keys.ts';

/** Seals JSON objects and opens them again: libsodium's secretbox, authenticated encryption. */
export interface Codec {
  /** @returns `ciphertext;nonce`, both in base64 */
  seal(purpose: Purpose, payload: object): string;
  /** @returns what was sealed, or null when it was not sealed by one of our keys for this purpose */
  open(purpose: Purpose, sealed: string): unknown;
}

// secure-session stamps what it seals and lets it lapse by its own clock, renewed at every touch. Our own `exp` is the
// truth, so its limit is put out of the way.
const NEVER_SECONDS = 100 * 365 * 86_400;

/**
 * Whether these are ciphertext and nonce in the one spelling that we wrote. Decoders pass over characters that are not
 * base64's, over missing padding and over spare bits at the end: another string would stand for the same sealed value.
 */
function isCanonical(sealed: string): boolean {
  const end = sealed.indexOf(';');
  return isBase64(sealed.slice(0, end)) && isBase64(sealed.slice(end + 1));
}

/** Written anew it is the same. A pattern that says as much takes several times as long. */
function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text;
}

/**
 * A codec out of `@fastify/secure-session`'s own functions. The plugin lives in a context without routes, because its
 * hooks would open every cookie on every request, needed or not, and answer 500 to a sealed value that is no object.
 *
 * @throws Error when a key has not 32 bytes
 */
export async function createCodec(app: FastifyInstance, keys: SealKeys): Promise<Codec> {
  let codec: Codec | undefined;
  await app.register(async (room) => {
    await room.register(
      secureSession,
      purposes.map((purpose) => ({ sessionName: purpose, key: [...keys[purpose]], expiry: NEVER_SECONDS }) as never),
    );
    codec = {
      seal: (purpose, payload) => room.encodeSecureSession(room.createSecureSession({ ...payload }), purpose),
      open: (purpose, sealed) => {
        if (!isCanonical(sealed)) return null;
        try {
          return room.decodeSecureSession(sealed, quietLog, purpose)?.data() ?? null;
        } catch {
          // Sealed by our key, but not a JSON object.
          return null;
        }
      },
    };
  });
  await app.after();
  if (codec === undefined) throw new Error('secure-session did not load');
  return codec;
}

const nothing = () => {};
const quietLog = { trace: nothing, debug: nothing } as never;
