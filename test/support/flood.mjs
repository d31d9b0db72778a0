// Runs the login use case of the built service two million times with made-up names and addresses, in a process of its
// own: the test runner follows every promise, which costs more than what is measured. Prints what it saw as JSON.
// Run with --expose-gc.
import { setPriority } from 'node:os';
import { readConfig } from '../../dist/config.js';
import { createMemoryLimits } from '../../dist/limits/memory.js';
import { createPolicy } from '../../dist/limits/policy.js';
import { login } from '../../dist/sign-in/login.js';

// Other tests run beside it, and it has time.
setPriority(19);

const LOGINS = Number(process.argv[2]);
const clock = () => 1_893_456_000_000;
const config = readConfig({});
const policy = createPolicy(createMemoryLimits({ clock }), { ...config.limits, challengeTtlSeconds: 670 }, clock);
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

async function tryLogin(username, address) {
  try {
    await login(ports, { username, password: 'guess', address, channel: 'sms', next: '/', locale: 'en' });
    return 'in';
  } catch (error) {
    return error.code;
  }
}

const victim = { id: 'challenge of the victim', sub: 'victim' };
for (let guess = 0; guess < 4; guess += 1) await policy.wrong(victim, await policy.guess(victim));
for (let guess = 0; guess < 4; guess += 1) await tryLogin('victim', '192.0.2.1');

// Once round the course first, so that compiled code is not counted as growth.
for (let index = 0; index < 1000; index += 1) await tryLogin('nobody', '203.0.113.1');
globalThis.gc();
const before = process.memoryUsage();
const answers = {};
for (let index = 0; index < LOGINS; index += 1) {
  const address = `2001:db8:${(index >>> 16).toString(16)}:${(index & 0xffff).toString(16)}::1`;
  const answer = await tryLogin(`made-up user ${index}`, address);
  answers[answer] = (answers[answer] ?? 0) + 1;
}
// Users with a right password, who have no counter yet.
let strangersIn = 0;
for (let index = 0; index < 100; index += 1) {
  const { giveBack } = await policy.password(`stranger ${index}`, `198.51.100.${index}`).catch(() => ({}));
  if (giveBack === undefined) continue;
  strangersIn += 1;
  await giveBack();
}
globalThis.gc();
const after = process.memoryUsage();

console.log(
  JSON.stringify({
    answers,
    heapGrowthBytes: after.heapUsed + after.external - before.heapUsed - before.external,
    rssGrowthBytes: after.rss - before.rss,
    strangersIn,
    guessesLeft: (await policy.guess(victim)).attemptsLeft,
    nextGuess: await policy.guess(victim).catch((error) => error.code),
    fifthPassword: await tryLogin('victim', '192.0.2.1'),
    sixthPassword: await tryLogin('victim', '192.0.2.1'),
  }),
);
