import t from 'tap';
import { DoorcodeError } from '../src/errors.ts';
import { type DoorcodeEvent, fanOut, limitOf, noEvents, outcomeOf } from '../src/events.ts';

t.test('several are told as one', async (t) => {
  const event: DoorcodeEvent = { type: 'clock_behind', trace: { requestId: '1' }, seconds: 7 };
  const told: string[] = [];
  const listener = (name: string) => (heard: DoorcodeEvent) => void told.push(`${name} ${heard.type}`);
  fanOut([listener('a'), listener('b'), listener('c')])(event);
  t.strictSame(told, ['a clock_behind', 'b clock_behind', 'c clock_behind']);
  const only = listener('only');
  t.equal(fanOut([only]), only, 'one alone costs nothing');
  t.equal(fanOut([]), noEvents);
  noEvents(event);
});

t.test('how something ended, and by which limit, from what it threw', async (t) => {
  const error = new DoorcodeError('too_many_requests', { limit: 'send-phone' });
  t.equal(outcomeOf(error), 'too_many_requests');
  t.equal(limitOf(error), 'send-phone');
  t.equal(outcomeOf(new TypeError('x')), 'internal_error');
  t.equal(outcomeOf(null), 'internal_error');
  t.equal(limitOf(new TypeError('x')), undefined);
});
