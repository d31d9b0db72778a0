// Writes docs/openapi.json: the description of the API with every route there is. It needs what `npm run build` makes.
import { writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { buildApp } from '../dist/app.js';
import { readConfig } from '../dist/config.js';
import { createAssertions } from '../dist/gateway/assertion.js';
import { createMemoryLimits } from '../dist/limits/memory.js';
import { deriveKeys } from '../dist/seal/keys.js';

const config = readConfig({ PLIVO_AUTH_ID: 'MADEMO', PLIVO_AUTH_TOKEN: 'token', PLIVO_NUMBER: '+15550100197' });
const clock = () => 0;
const app = await buildApp(config, {
  clock,
  random: (length) => new Uint8Array(length),
  logger: pino({ level: 'silent' }),
  keys: deriveKeys(config.masterKeys),
  limits: createMemoryLimits({ clock }),
  delivery: { channels: ['sms', 'voice'] },
  // Only the description is asked for: nobody signs in, nothing is sent.
  directory: {},
  compose: () => {},
  mask: () => '',
  receiptKeys: { signalwire: 'key', twilio: 'token' },
  assertions: createAssertions({ keys: [new Uint8Array(32)], issuer: config.origin, audience: ['app'], clock }),
  lifecycle: { draining: false },
  readiness: {},
});
const { body } = await app.inject('/openapi.json');
await app.close();
writeFileSync(new URL('../docs/openapi.json', import.meta.url), `${JSON.stringify(JSON.parse(body), null, 2)}\n`);
