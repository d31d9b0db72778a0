// What a request costs that a clock is not needed for: bytes allocated while it is answered, and bytes of its cookies.
// In a process of its own and in the interpreter alone, where each run allocates the same: what the optimising compiler
// leaves out depends on when it came to it. Prints JSON. node --expose-gc --no-opt --no-sparkplug
// --max-semi-space-size=512 --min-semi-space-size=512 test/support/cost.mjs
import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import { createVisitors } from '../../bench/challenges.mjs';
import { productionEnv } from '../../bench/doorcode-env.mjs';
import { buildApp } from '../../dist/app.js';
import { examineConfig } from '../../dist/config.js';
import { createLogger } from '../../dist/http/logging.js';
import { createMemoryLimits } from '../../dist/limits/memory.js';
import { createRandomBytes } from '../../dist/random.js';
import { deriveKeys } from '../../dist/seal/keys.js';

const WARM_UP = 200;
/** Something else in the process may allocate while a round is counted: the median of the rounds is what counts. */
const ROUNDS = 3;
const REQUESTS = 250;
const ALL = WARM_UP + ROUNDS * REQUESTS;

const key = randomBytes(32);
const { config } = examineConfig({ ...productionEnv(0, key), MAX_EVENT_LOOP_DELAY: 'off' });
const clock = Date.now;
const app = await buildApp(config, {
  clock,
  random: createRandomBytes(),
  logger: createLogger({ level: 'warn' }),
  keys: deriveKeys(config.masterKeys),
  directory: { authenticate: async () => null },
  limits: createMemoryLimits({ clock }),
  delivery: { channels: ['sms'], deliver: async () => ({ sender: 'test' }) },
  compose: (outgoing) => outgoing,
  mask: (phone) => phone,
  lifecycle: { draining: false },
  readiness: {},
});
const bare = Fastify();
bare.post('/otp', async () => ({ status: 'authenticated' }));
bare.get('/auth', async () => ({ status: 'authenticated' }));
await Promise.all([app.ready(), bare.ready()]);

const visitors = await createVisitors(key);
const kinds = {
  right: visitors.right(ALL),
  wrong: visitors.wrong(ALL),
  auth: Array(ALL).fill(visitors.signedIn('/auth', 1)[0]),
};

/** A request as it goes over the wire, for inject. */
function parsed(request) {
  const [head, payload] = request.split('\r\n\r\n');
  const [first, ...lines] = head.split('\r\n');
  const [method, url] = first.split(' ');
  const headers = Object.fromEntries(lines.filter(Boolean).map((line) => line.split(/: (.*)/s)));
  return { method, url, headers, ...(payload === '' ? {} : { payload }) };
}

/** Bytes that a service allocates for each of the requests. */
async function allocated(service, requests, status) {
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  let wrong = 0;
  for (const request of requests) if ((await service.inject(request)).statusCode !== status) wrong += 1;
  if (wrong > 0) throw new Error(`${wrong} were not answered ${status}`);
  return (process.memoryUsage().heapUsed - before) / requests.length;
}

const seen = {};
for (const [kind, status] of Object.entries({ right: 200, wrong: 403, auth: 200 })) {
  const requests = kinds[kind].map(parsed);
  const warmUp = requests.splice(0, WARM_UP);
  await allocated(app, warmUp, status);
  await allocated(bare, warmUp, 200);
  const rounds = [];
  while (requests.length > 0) {
    const round = requests.splice(0, REQUESTS);
    rounds.push(Math.round((await allocated(app, round, status)) - (await allocated(bare, round, 200))));
  }
  seen[kind] = rounds.toSorted((a, b) => a - b)[(ROUNDS - 1) / 2];
}
const challenge = parsed(visitors.right(1)[0]);
const answer = await app.inject(challenge);
const session = [answer.headers['set-cookie']].flat().find((cookie) => cookie.includes('session='));
// Decoded: how many of its characters have to be encoded is up to chance.
const lengthOf = (cookie) => decodeURIComponent(cookie).length;
const cookies = { challenge: lengthOf(challenge.headers.cookie), session: lengthOf(session) };
console.log(JSON.stringify({ allocated: seen, cookies }));
