import type { Test } from 'tap';
import type { AppPorts } from '../../src/app.ts';
import { createWebhookSender } from '../../src/delivery/webhook.ts';
import type { Limits } from '../../src/limits/limits.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { silentLog } from '../../src/log.ts';
import type { Directory } from '../../src/users/directory.ts';
import { createFileDirectory } from '../../src/users/file.ts';
import { hashPassword, type PasswordChecker } from '../../src/users/password.ts';
import { SECRET } from './attacking.ts';
import { type TestApp, testApp } from './build-app.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { noteSecret } from './kept.ts';
import { freePort } from './redis.ts';
import { writeUsers } from './user-files.ts';

export const ACCOUNTS = [
  { username: 'ann', password: 'the password of ann' },
  { username: 'bob', password: 'the password of bob' },
] as const;

/** How long the check of a password takes on the stopwatch, milliseconds. */
const HASH_MS = 50;

/** One of the defences of a service, taken away or made weaker. */
export interface Weakness {
  readonly env?: Record<string, string>;
  readonly ports?: Partial<AppPorts>;
  /** Overrides methods of the limits. */
  readonly limits?: (limits: Limits) => Partial<Limits>;
  /** Takes the place of the directory with the two accounts. */
  readonly directory?: (directory: Directory) => Directory;
  /** Whether the password of a user who does not exist is checked against nothing, in no time. */
  readonly noDecoy?: boolean;
  /** Whether the time of the service stands still. */
  readonly frozen?: boolean;
  /** How far away the service is, milliseconds there and back on the stopwatch. */
  readonly roundTripMs?: number;
  readonly change?: (app: TestApp['app']) => void;
}

export interface AttackedApp {
  readonly url: string;
  /** Where the service sends its codes. */
  readonly inboxPort: number;
  /** Of the attacker, and of the service unless that stands still. */
  readonly clock: FakeClock;
  /** What answers are timed with: only checks of passwords and the way there and back take time on it. */
  readonly now: () => number;
}

/** The app on loopback with the limits that are the default, two users in a file, and the real webhook sender. */
export async function attackedApp(t: Test, weakness: Weakness = {}): Promise<AttackedApp> {
  const clock = fakeClock();
  const start = clock();
  const ownClock = weakness.frozen === true ? Object.assign(() => start, { advance() {}, set() {} }) : clock;
  let elapsedMs = 0;
  const hashes = await Promise.all(ACCOUNTS.map(({ password }) => hashOf(password)));
  const passwords: PasswordChecker = {
    async verify(hash, password) {
      const index = hashes.indexOf(hash ?? '');
      if (index >= 0 || weakness.noDecoy !== true) elapsedMs += HASH_MS;
      return ACCOUNTS[index]?.password === password;
    },
  };
  const path = await writeUsers(
    t.testdir({}),
    ACCOUNTS.map(({ username }, index) => ({ username, passwordHash: hashes[index], phone: `+1555010011${index}` })),
  );
  const directory = await createFileDirectory({ path, clock: ownClock, log: silentLog, passwords });
  const memory = createMemoryLimits({ clock: ownClock });
  const inboxPort = await freePort();
  const sender = createWebhookSender({ url: `http://127.0.0.1:${inboxPort}/`, secret: SECRET, clock: ownClock });
  const { app } = await testApp({
    clock: ownClock,
    // As the settings are by default, and not as most tests want them.
    env: {
      PORT: '0',
      RESEND_COOLDOWN: '',
      LIMIT_SEND_PHONE: '',
      LIMIT_SEND_ACCOUNT: '',
      MAX_GUESS_RISK: '',
      ...weakness.env,
    },
    ports: {
      directory: weakness.directory?.(directory) ?? directory,
      limits: { ...memory, ...weakness.limits?.(memory) },
      delivery: {
        channels: ['sms', 'voice'],
        deliver: async (message) => {
          noteSecret(message.code);
          return sender.send(message, new AbortController().signal);
        },
      },
      ...weakness.ports,
    },
  });
  app.addHook('onRequest', async () => {
    elapsedMs += weakness.roundTripMs ?? 0;
  });
  weakness.change?.(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    await app.close();
    await sender.close?.();
  });
  return { url, inboxPort, clock, now: () => elapsedMs };
}

const known = new Map<string, Promise<string>>();

/** The hash that the command line would make, once in this process. */
function hashOf(password: string): Promise<string> {
  const hash = known.get(password) ?? hashPassword(password);
  known.set(password, hash);
  return hash;
}
