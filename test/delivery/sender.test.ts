import t from 'tap';
import { asDeliveryError, channels, DeliveryError, isSenderIll } from '../../src/delivery/sender.ts';

t.test('a delivery error says how final it is, and why, in words for machines', async (t) => {
  const error = new DeliveryError('temporary', 'http_500');
  t.match(error, { name: 'DeliveryError', kind: 'temporary', reason: 'http_500', message: 'temporary: http_500' });
  t.equal(error.cause, undefined);
});

t.test('a code travels as text or as a call', async (t) => {
  t.strictSame(channels, ['sms', 'voice']);
});

t.test('of an error that no sender should throw, the name and the place are kept, and no message', async (t) => {
  const known = new DeliveryError('permanent', 'number');
  t.equal(asDeliveryError(known), known);
  const { kind, reason, detail } = asDeliveryError(new TypeError('+15550100101\n    at 493817'));
  t.strictSame([kind, reason], ['temporary', 'unexpected']);
  t.match(detail, /^TypeError at .*sender\.test\.ts/);
  t.notMatch(detail, /493817|15550100101/);
  const bare = Object.assign(new RangeError('x'), { stack: undefined });
  t.equal(asDeliveryError(bare).detail, 'RangeError');
  t.equal(asDeliveryError('493817').detail, 'string');
});

t.test('what lies with the sender is told from what lies with one number', async (t) => {
  const ill = [
    'timeout',
    'connection',
    'certificate',
    'bad_response',
    'credentials',
    'unexpected',
    'http_429',
    'http_503',
  ];
  for (const reason of ill) t.equal(isSenderIll(new DeliveryError('temporary', reason)), true, reason);
  for (const reason of ['route', 'account', 'request', 'sender_number', 'http_400', 'http_404', 'busy']) {
    t.equal(isSenderIll(new DeliveryError('temporary', reason)), false, reason);
  }
  t.equal(isSenderIll(new DeliveryError('permanent', 'timeout')), false);
});
