import t from 'tap';
import type { Message } from '../src/delivery/sender.ts';
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
