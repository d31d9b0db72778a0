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

// Ciphertext and nonce in base64. It has spare bits at its end that decoders ignore: only the one spelling that we wrote,
// with those bits zero, is accepted, so that no other string stands for the same sealed value.
const SEALED =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?;[A-Za-z0-9+/]{32}$/;

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
        if (!SEALED.test(sealed)) return null;
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
