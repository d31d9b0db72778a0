import t from 'tap';
import { createInbox, MAX_MESSAGES } from '../../src/phone-simulator/inbox.ts';

const message = (text: string) =>
  ({ provider: 'twilio', channel: 'sms', id: 'SM1', to: '+15550100100', from: '+15550100199', text, at: 1 }) as const;

t.test('messages are kept in order of arrival, each with a number of its own', async (t) => {
  const inbox = createInbox();
  inbox.add(message('one'));
  inbox.add(message('one'));
  t.match(inbox.messages, [
    { sequence: 1, text: 'one' },
    { sequence: 2, text: 'one' },
  ]);
  inbox.clear();
  t.strictSame(inbox.messages, []);
  inbox.add(message('two'));
  t.match(inbox.messages, [{ sequence: 3 }], 'a number is not given again');
});

t.test('the oldest give way', async (t) => {
  const inbox = createInbox();
  for (let count = 0; count < MAX_MESSAGES + 3; count += 1) inbox.add(message(`${count}`));
  t.equal(inbox.messages.length, MAX_MESSAGES);
  t.equal(inbox.messages[0]?.text, '3');
});

t.test('who waits for messages is told when they are there', async (t) => {
  const inbox = createInbox();
  const told: number[] = [];
  const waits = [1, 2].map((count) => inbox.arrived(count).then(() => told.push(count)));
  inbox.add(message('one'));
  await waits[0];
  t.strictSame(told, [1]);
  inbox.add(message('two'));
  await Promise.all(waits);
  t.strictSame(told, [1, 2]);
  await inbox.arrived(2);
});
