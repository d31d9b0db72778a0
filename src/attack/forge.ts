import Fastify from 'fastify';
import { draft, open } from '../challenge/challenge.ts';
import type { Clock } from '../clock.ts';
import { createCodec } from '../seal/codec.ts';
import { deriveKeys } from '../seal/keys.ts';
import { startSession } from '../session/session.ts';

/** Makes cookies as doorcode does, with keys that a deployment must not have. Each is named by its key. */
export interface Forge {
  sessions(sub: string): Record<string, string>;
  challenges(sub: string, phone: string): Record<string, string>;
}

const HOUR_SECONDS = 3600;

/** Keys that everybody knows beside one that nobody has. */
export async function createForge({
  random,
  clock,
}: {
  readonly random: (length: number) => Uint8Array;
  readonly clock: Clock;
}): Promise<Forge> {
  const keys: Record<string, Buffer> = {
    'another key': Buffer.from(random(32)),
    'a key of zeros': Buffer.alloc(32),
    'a key of ones': Buffer.alloc(32, 1),
    'a key of words': Buffer.from('an example master key, 32 bytes!'),
  };
  // The plugin that seals wants an app; this one serves nothing.
  const codecs = await Promise.all(
    Object.entries(keys).map(async ([name, key]) => ({ name, codec: await createCodec(Fastify(), deriveKeys([key])) })),
  );
  const seal = (purpose: 'session' | 'challenge', payload: object) =>
    Object.fromEntries(
      codecs.map(({ name, codec }) => [
        `a ${purpose} sealed by ${name}`,
        encodeURIComponent(codec.seal(purpose, payload)),
      ]),
    );
  return {
    sessions: (sub) => seal('session', startSession({ sub, channel: 'sms' }, clock(), HOUR_SECONDS, random)),
    challenges(sub, phone) {
      const loginAt = Math.floor(clock() / 1000);
      const fields = { sub, phone, locale: 'en', channel: 'sms', loginAt, next: '/' } as const;
      return seal('challenge', open(draft(random, 6), fields, clock(), 60));
    },
  };
}
