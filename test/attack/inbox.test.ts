import t, { type Test } from 'tap';
import { startInbox } from '../../src/attack/inbox.ts';
import { createWebhookSender } from '../../src/delivery/webhook.ts';
import { sign } from '../../src/delivery/webhook-signature.ts';
import { fakeClock } from '../support/fake-clock.ts';

const SECRET = 'a secret of the tests alone';
const MESSAGE = {
  channel: 'sms',
  to: '+15550100101',
  text: 'Your code is 123456',
  code: '123456',
  locale: 'en',
} as const;

async function start(t: Test) {
  const clock = fakeClock();
  const inbox = await startInbox({ host: '127.0.0.1', port: 0, secret: SECRET, clock });
  t.teardown(() => inbox.close());
  return { clock, inbox };
}

t.test('what the webhook sender hands over arrives, with the time of its clock', async (t) => {
  const { clock, inbox } = await start(t);
  const sender = createWebhookSender({ url: inbox.url, secret: SECRET, clock: () => clock() + 3000 });
  t.teardown(() => sender.close?.());
  await sender.send({ ...MESSAGE, expiresAt: clock() / 1000 + 60 } as never, new AbortController().signal);
  const { to, text, code } = MESSAGE;
  t.strictSame(inbox.messages, [{ to, text, code, signedAtMs: clock() + 3000, aheadMs: 3000 }]);
  t.equal(inbox.refused, 0);
});

t.test('what is not signed with the secret, or is no message, is turned away', async (t) => {
  const { clock, inbox } = await start(t);
  const body = JSON.stringify(MESSAGE);
  const now = clock() / 1000;
  const table: [string, string | undefined][] = [
    [body, undefined],
    [body, sign(body, 'another secret of the tests', now)],
    [body, sign(body, SECRET, now - 301)],
    [body, sign(`${body} `, SECRET, now)],
    ['{', sign('{', SECRET, now)],
    ['null', sign('null', SECRET, now)],
    ['{"to":1}', sign('{"to":1}', SECRET, now)],
  ];
  for (const [text, signature] of table) {
    const headers = signature === undefined ? {} : { 'x-doorcode-signature': signature };
    t.equal((await fetch(inbox.url, { method: 'POST', body: text, headers })).status, 401);
  }
  t.strictSame([inbox.messages.length, inbox.refused], [0, table.length]);
  await t.rejects(fetch(inbox.url, { method: 'POST', body: 'x'.repeat(70_000) }), 'nobody fills its memory');
});
