// A million challenges that nobody uses, by the use case itself, within a day of its clock: 50,000 numbers are sent the
// twenty codes that they may be sent in a day by default. Prints JSON: heap and resident set, before and after, in MB.
// node --expose-gc bench/memory-process.mjs CHALLENGES
import { examineConfig } from '../dist/config.js';
import { createMemoryLimits } from '../dist/limits/memory.js';
import { createPolicy } from '../dist/limits/policy.js';
import { createRandomBytes } from '../dist/random.js';
import { requestVerification } from '../dist/verifications/request.js';

const challenges = Number(process.argv[2]);
const NUMBERS = Math.ceil(challenges / 20);
const DAY_MS = 86_400_000;
let startMs = Date.UTC(2030, 0, 1);
let nowMs = startMs;
const clock = () => nowMs;
const { config } = examineConfig({ LIMIT_SEND_KEY: 'off', LIMIT_SEND_BLOCK: 'off' });
const limits = createMemoryLimits({ clock });
const ports = {
  policy: createPolicy(limits, { ...config.limits, challengeTtlSeconds: 670 }, clock),
  delivery: { channels: ['sms'], deliver: async () => ({ sender: 'none' }) },
  compose: (outgoing) => outgoing,
  events: () => {},
  clock,
  random: createRandomBytes(),
  settings: config,
  testNumbers: { codeOf: () => undefined },
  isPossible: async () => true,
};

const issue = async (n) => {
  nowMs = startMs + Math.floor((n / challenges) * DAY_MS);
  const to = `+1212${2_000_000 + (n % NUMBERS)}`;
  return requestVerification(ports, { key: 'bench', to, channel: 'sms', locale: 'en' });
};
const measure = () => {
  for (let i = 0; i < 4; i += 1) globalThis.gc();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  return { heap: (heapUsed + external + arrayBuffers) / 1e6, rss: rss / 1e6 };
};

// So that what is loaded or compiled late is not taken for challenges.
for (let n = 0; n < 1000; n += 1) await issue(n);
const before = measure();
// The same numbers may be sent something again.
startMs += DAY_MS;
for (let n = 0; n < challenges; n += 1) await issue(n);
console.log(JSON.stringify({ before, after: measure() }));
