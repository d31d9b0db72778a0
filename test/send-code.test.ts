import t from 'tap';
import type { Message } from '../src/delivery/sender.ts';
import { DoorcodeError } from '../src/errors.ts';
import { assertChannel, sendCode } from '../src/send-code.ts';
import { fakeClock } from './support/fake-clock.ts';

const outgoing = { channel: 'sms', to: '+15550100101', code: '493817', locale: 'en' } as const;
const asker = { apiKey: 'shop' };

function setUp(deliver: (message: Message) => Promise<void> = async () => {}) {
  const clock = fakeClock();
  const told: string[] = [];
  const ports = {
    clock,
    compose: (message: Omit<Message, 'text'>) => ({ ...message, text: message.code }),
    policy: {
      send: async (phone: string, who: object) => {
        told.push(`send ${phone} ${JSON.stringify(who)}`);
        return {
          resendAtMs: clock() + 30_000,
          delivered: async () => void told.push('delivered'),
          giveBack: async () => void told.push('given back'),
        };
      },
    },
    delivery: {
      channels: ['sms'] as const,
      deliver: async (message: Message) => {
        await deliver(message);
        return { sender: 'test' };
      },
    },
  };
  return { clock, told, ports };
}

t.test('the life of the code begins when it is accepted', async (t) => {
  const { clock, told, ports } = setUp(async ({ expiresAt }) => {
    t.equal(expiresAt, Math.floor(clock() / 1000) + 60);
    clock.advance(3.5);
  });
  const begun = clock();
  const sent = await sendCode(ports, outgoing, 60, asker);
  t.strictSame(sent, {
    acceptedAtMs: begun + 3_500,
    resendAtMs: begun + 30_000,
    sender: 'test',
    acceptedMs: 3_500,
  });
  t.strictSame(told, ['send +15550100101 {"apiKey":"shop"}', 'delivered']);
});

t.test('a send whose outcome is unknown stays counted, and the error says when the next one is allowed', async (t) => {
  const { clock, told, ports } = setUp(async () => {
    clock.advance(4);
    throw new DoorcodeError('delivery_failed', { retryAfterSeconds: 5, maybeSent: true });
  });
  await t.rejects(sendCode(ports, outgoing, 60, asker), { code: 'delivery_failed', retryAfterSeconds: 26 });
  t.equal(told.length, 1, 'neither delivered nor refunded');
});

t.test('a number that is refused after an unknown outcome stays counted as well', async (t) => {
  const { told, ports } = setUp(async () => {
    throw new DoorcodeError('delivery_rejected', { maybeSent: true });
  });
  await t.rejects(sendCode(ports, outgoing, 60, asker), { code: 'delivery_rejected', retryAfterSeconds: undefined });
  t.equal(told.length, 1);
});

t.test('a clock that is set back during the delivery makes no wait longer', async (t) => {
  const { clock, ports } = setUp(async () => clock.advance(-3600));
  const sent = await sendCode(ports, outgoing, 60, asker);
  t.equal(sent.resendAtMs, clock() + 30_000);
  t.equal(sent.acceptedMs, 0);
  const failing = setUp(async () => {
    failing.clock.advance(-3600);
    throw new DoorcodeError('delivery_failed', { maybeSent: true });
  });
  await t.rejects(sendCode(failing.ports, outgoing, 60, asker), { code: 'delivery_failed', retryAfterSeconds: 30 });
});

t.test('a send that fails is given back', async (t) => {
  const { told, ports } = setUp(async () => {
    throw new Error('no');
  });
  await t.rejects(sendCode(ports, outgoing, 60, asker), { message: 'no' });
  t.equal(told.at(-1), 'given back');
});

t.test('a channel that nobody has is refused before anything is counted', async (t) => {
  const { told, ports } = setUp();
  await t.rejects(sendCode(ports, { ...outgoing, channel: 'voice' }, 60, asker), { code: 'invalid_request' });
  t.strictSame(told, []);
  t.throws(() => assertChannel(ports, 'voice'), { code: 'invalid_request', detail: 'channel must be one of: sms' });
  t.doesNotThrow(() => assertChannel(ports, 'sms'));
});
