// The whole app with a sender that takes every message at once. Secrets are all the same, so that whoever asks knows the
// code. node bench/flow-server.mjs PORT API_KEY; says the code when it listens
import { createHash, randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { buildApp } from '../dist/app.js';
import { draft } from '../dist/challenge/challenge.js';
import { systemClock } from '../dist/clock.js';
import { examineConfig } from '../dist/config.js';
import { createDelivery } from '../dist/delivery/failover.js';
import { maskPhone } from '../dist/delivery/mask-phone.js';
import { createComposer } from '../dist/delivery/message.js';
import { createNumberRules } from '../dist/delivery/number-rules.js';
import { createMemoryLimits } from '../dist/limits/memory.js';
import { locales } from '../dist/pages/locales/locales.js';
import { createRandomBytes } from '../dist/random.js';
import { deriveKeys } from '../dist/seal/keys.js';

const [port, key] = process.argv.slice(2);
const { config } = examineConfig({
  API_KEYS: `bench:${createHash('sha256').update(key).digest('hex')}`,
  LIMIT_SEND_KEY: 'off',
  LIMIT_SEND_BLOCK: 'off',
  LOG_LEVEL: 'warn',
});
const log = pino({ level: 'warn' });
const drawn = createRandomBytes();
const random = (length) => (length === 20 ? Buffer.alloc(20, 1) : drawn(length));
const sender = { name: 'none', channels: ['sms'], send: async () => ({}) };
const numbers = createNumberRules(config.allowedCountries);
const app = await buildApp(config, {
  clock: systemClock,
  random,
  logger: log,
  keys: deriveKeys([randomBytes(32)]),
  directory: { authenticate: async () => null },
  limits: createMemoryLimits({ clock: systemClock }),
  delivery: createDelivery({ senders: [sender], clock: systemClock, log, numbers }),
  compose: createComposer({ texts: locales, appName: 'bench', host: '127.0.0.1', digits: 6, log }),
  mask: maskPhone,
  isPossible: numbers.isPossible,
  lifecycle: { draining: false },
  readiness: {},
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
process.send?.({ code: draft(random, 6).code });
