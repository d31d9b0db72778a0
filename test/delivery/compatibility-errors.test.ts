import t from 'tap';
import { rejectionOf } from '../../src/delivery/compatibility-errors.ts';
import { leaks, number } from './sender.contract.ts';

t.test('the answer tells whose fault it is', async (t) => {
  for (const [status, code, kind, reason] of [
    // The number cannot be reached, by anyone.
    [400, 21211, 'permanent', 'number'],
    [400, 21614, 'permanent', 'number'],
    [400, 21610, 'permanent', 'number'],
    [404, 21217, 'permanent', 'number'],
    [422, '21211', 'permanent', 'number'],
    [422, undefined, 'permanent', 'number'],
    // Ours: another sender may do.
    [401, undefined, 'temporary', 'credentials'],
    [401, 20003, 'temporary', 'credentials'],
    [403, undefined, 'temporary', 'credentials'],
    [400, 21606, 'temporary', 'sender_number'],
    [422, 21212, 'temporary', 'sender_number'],
    [422, '21717', 'temporary', 'sender_number'],
    [429, 21611, 'temporary', 'sender_number'],
    [400, 21408, 'temporary', 'account'],
    [400, 21612, 'temporary', 'route'],
    // Unknown: the status speaks.
    [400, undefined, 'temporary', 'http_400'],
    [400, 99999, 'temporary', 'http_400'],
    [404, undefined, 'temporary', 'http_404'],
    [422, 99999, 'permanent', 'number'],
    [429, 20429, 'temporary', 'http_429'],
    // A server in trouble is not believed about the number.
    [500, 21211, 'temporary', 'http_500'],
    [503, undefined, 'temporary', 'http_503'],
    [302, undefined, 'temporary', 'http_302'],
  ] as const) {
    const error = rejectionOf(status, code === undefined ? {} : { code, message: `about ${number}` });
    t.match(error, { kind, reason }, `${status} ${code ?? ''}`);
    t.notOk(leaks(error));
  }
});

t.test('an answer without JSON is judged by its status', async (t) => {
  t.match(rejectionOf(500, null), { kind: 'temporary', reason: 'http_500' });
  t.match(rejectionOf(422, null), { kind: 'permanent', reason: 'number' });
});
