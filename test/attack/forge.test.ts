import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import t from 'tap';
import { createForge } from '../../src/attack/forge.ts';
import { parseChallenge } from '../../src/challenge/challenge.ts';
import { createCodec } from '../../src/seal/codec.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { parseSession } from '../../src/session/session.ts';
import { fakeClock } from '../support/fake-clock.ts';

t.test('what is forged would be taken by a service that has such a key', async (t) => {
  const clock = fakeClock();
  const forge = await createForge({ random: randomBytes, clock });
  const sessions = forge.sessions('alice');
  const challenges = forge.challenges('alice', '+15550100101');
  t.equal(Object.keys(sessions).length, 4);
  t.equal(Object.keys(challenges).length, 4);
  const codec = await createCodec(Fastify(), deriveKeys([Buffer.alloc(32)]));
  const open = (purpose: 'session' | 'challenge', value = '') => codec.open(purpose, decodeURIComponent(value));
  t.match(parseSession(open('session', sessions['a session sealed by a key of zeros']), clock()), { sub: 'alice' });
  t.match(parseChallenge(open('challenge', challenges['a challenge sealed by a key of zeros']), clock(), 600), {
    sub: 'alice',
  });
  t.equal(open('session', sessions['a session sealed by another key']), null);
});
