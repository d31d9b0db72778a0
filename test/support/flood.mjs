// Runs the login use case of the built service with made-up names and addresses, in a process of its own, so that nothing
// else is in its memory. Prints as JSON what it measured: first when every table is full, and again after as many logins
// more. Run with --expose-gc.
import { readConfig } from '../../dist/config.js';
import { createMemoryLimits } from '../../dist/limits/memory.js';
import { createPolicy } from '../../dist/limits/policy.js';
import { login } from '../../dist/sign-in/login.js';

/** A little more than the 50,000 counters that each table has room for. */
const LOGINS_TO_FILL = 55_000;
const clock = () => 1_893_456_000_000;
const config = readConfig({});
const limits = createMemoryLimits({ clock });
const policy = createPolicy(limits, { ...config.limits, challengeTtlSeconds: 670 }, clock);
const ports = {
  policy,
  clock,
  random: (length) => new Uint8Array(length),
  settings: config,
  directory: { authenticate: async () => null },
  delivery: { channels: ['sms'], deliver: async () => ({ sender: 'test' }) },
  compose: (outgoing) => outgoing,
  events: () => {},
};
const answers = {};
let logins = 0;

/** Each login has a name and a /48 of its own, so that no limit of addresses refuses it before its name is counted. */
async function tryLogins(count) {
  for (const end = logins + count; logins < end; logins += 1) {
    const address = `3fff:${(logins >>> 16).toString(16)}:${(logins & 0xffff).toString(16)}::1`;
    const input = { username: `made-up user ${logins}`, password: 'guess', address, channel: 'sms' };
    const answer = await login(ports, { ...input, next: '/', locale: 'en' }).then(
      () => 'in',
      (error) => error.code,
    );
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
}

function bytesInUse() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

// So that compiled code is not counted as growth.
await tryLogins(1000);
const before = bytesInUse();
await tryLogins(LOGINS_TO_FILL);
const full = bytesInUse();
await tryLogins(LOGINS_TO_FILL);
const after = bytesInUse();

console.log(
  JSON.stringify({
    answers,
    sizes: ['password-address/3600', 'password-pair/900', 'password-user/3600'].map(limits.size),
    bytesToFill: full - before,
    bytesBeyond: after - full,
  }),
);
