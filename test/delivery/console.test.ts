import t from 'tap';
import { createConsoleSender } from '../../src/delivery/console.ts';
import { message, patient, senderContract } from './sender.contract.ts';

const now = 1_767_225_600;

t.test('the console keeps to the contract', async (t) => {
  await senderContract(t, { accepting: () => createConsoleSender({ write: () => {}, clock: () => now * 1000 }) });
});

t.test('one line tells the code, the number, the channel and the seconds that are left', async (t) => {
  const lines: string[] = [];
  const sender = createConsoleSender({ write: (line) => lines.push(line), clock: () => now * 1000 });
  await sender.send(message({ code: '123456', to: '+15550100100', expiresAt: now + 60 }), patient());
  await sender.send(message({ code: '123456', to: '+15550100100', expiresAt: now - 1, channel: 'voice' }), patient());
  t.strictSame(lines, [
    'code 123456 for +15550100100 by sms, 60 s left',
    'code 123456 for +15550100100 by voice, 0 s left',
  ]);
});

t.test('nothing is written for an attempt that was aborted', async (t) => {
  const lines: string[] = [];
  const sender = createConsoleSender({ write: (line) => lines.push(line), clock: () => now * 1000 });
  await t.rejects(sender.send(message(), AbortSignal.abort()));
  t.strictSame(lines, []);
});
