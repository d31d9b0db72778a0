import t, { type Test } from 'tap';
import { createClient } from '../../src/attack/client.ts';
import { startInbox } from '../../src/attack/inbox.ts';
import { createLogins, isAlive } from '../../src/attack/logins.ts';
import { createWebhookSender } from '../../src/delivery/webhook.ts';
import { SECRET } from '../support/attacking.ts';
import { testApp } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

const ALICE = { username: 'alice', password: 'correct horse battery staple' };

/** The app on loopback, with the real webhook sender. */
async function start(t: Test, { secret = SECRET, env = {} }: { secret?: string; env?: Record<string, string> } = {}) {
  const clock = fakeClock();
  const inbox = await startInbox({ host: '127.0.0.1', port: 0, secret, clock });
  const sender = createWebhookSender({ url: inbox.url, secret: SECRET, clock });
  const { app } = await testApp({
    clock,
    env: { RESEND_COOLDOWN: '30', ...env },
    ports: {
      delivery: {
        channels: ['sms'],
        deliver: async (message) =>
          sender
            .send({ ...message, expiresAt: clock() / 1000 + 60 } as never, new AbortController().signal)
            .catch(() => ({ sender: 'lost' })),
      },
    },
  });
  const client = createClient({ url: await app.listen({ host: '127.0.0.1', port: 0 }), maxRequests: 50 });
  t.teardown(async () => {
    await client.close();
    await app.close();
    await Promise.all([inbox.close(), sender.close?.()]);
  });
  const waits: number[] = [];
  const pause = async (ms: number) => {
    waits.push(ms / 1000);
    clock.advance(ms / 1000);
  };
  return { clock, inbox, waits, logins: createLogins({ client, inbox, pause }) };
}

t.test('a login comes with its code, its guesses and the end of its life', async (t) => {
  const { logins, inbox, clock } = await start(t);
  const login = await logins.open(ALICE, { next: '/inbox' });
  t.match(login, { guesses: 5, message: inbox.messages[0], deadAtMs: clock() + 61_000 });
  t.equal(login.challenge.name, 'doorcode-challenge');
  t.equal(login.jar.find('challenge')?.value, login.challenge.value);
  t.equal(isAlive(login, clock), true);
  clock.advance(60);
  t.equal(isAlive(login, clock), false);
});

t.test('it waits for as long as it is told, for a new login and for a new code', async (t) => {
  const { logins, inbox, waits } = await start(t);
  const first = await logins.open(ALICE);
  const second = await logins.open(ALICE);
  const third = await logins.renew(second);
  t.strictSame(waits, [30, 30]);
  t.equal(new Set([first, second, third].map(({ challenge }) => challenge.value)).size, 3);
  t.strictSame(
    [first, second, third].map(({ message }) => message),
    inbox.messages,
  );
});

t.test('what is refused otherwise is not waited for', async (t) => {
  const { logins, waits } = await start(t);
  await t.rejects(logins.open({ ...ALICE, password: 'wrong' }), {
    message: 'no code for alice: 401 invalid_credentials',
  });
  t.strictSame(waits, []);
});

t.test('where no code comes, one login is enough to know', async (t) => {
  const { logins, inbox } = await start(t, { secret: 'a secret that is another one' });
  await t.rejects(logins.open(ALICE), {
    message: `no code came to ${inbox.url} that is signed with this WEBHOOK_SECRET`,
  });
  await t.rejects(logins.open(ALICE), {
    message: `no code came to ${inbox.url} that is signed with this WEBHOOK_SECRET`,
  });
  t.equal(inbox.refused, 1, 'the phone is spared further ones');
});
