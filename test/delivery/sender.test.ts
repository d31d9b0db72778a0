import t from 'tap';
import { channels, DeliveryError } from '../../src/delivery/sender.ts';

t.test('a delivery error says how final it is, and why, in words for machines', async (t) => {
  const error = new DeliveryError('temporary', 'http_500');
  t.match(error, { name: 'DeliveryError', kind: 'temporary', reason: 'http_500', message: 'temporary: http_500' });
  t.equal(error.cause, undefined);
});

t.test('a code travels as text or as a call', async (t) => {
  t.strictSame(channels, ['sms', 'voice']);
});
