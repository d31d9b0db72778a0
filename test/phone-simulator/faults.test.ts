import t from 'tap';
import { faultDigits, faultOf, parseFault } from '../../src/phone-simulator/faults.ts';

t.test('the last three digits of a number say what goes wrong, and most numbers work', async (t) => {
  for (const [number, fault] of [
    ['+15550100901', 'rejected'],
    ['+447700900902', 'opted_out'],
    ['+15550100910', 'undelivered'],
    ['+15550100100', null],
    ['+15550100911', null],
    ['+15559010100', null],
  ] as const) {
    t.equal(faultOf(number), fault, number);
  }
});

t.test('each fault has digits of its own and is explained', async (t) => {
  t.equal(new Set(faultDigits.map(({ digits }) => digits)).size, faultDigits.length);
  t.equal(new Set(faultDigits.map(({ fault }) => fault)).size, faultDigits.length);
  for (const { digits, what } of faultDigits) {
    t.match(digits, /^\d{3}$/);
    t.not(what, '');
  }
});

t.test('a fault of a whole provider is written as provider=fault', async (t) => {
  t.strictSame(parseFault('signalwire=hang'), ['signalwire', 'hang']);
  t.strictSame(parseFault('plivo=too_many_requests'), ['plivo', 'too_many_requests']);
  for (const text of [
    '',
    'hang',
    'signalwire',
    'signalwire=',
    '=hang',
    'vonage=hang',
    'twilio=tired',
    'twilio=hang=1',
  ]) {
    t.equal(parseFault(text), null, text);
  }
});
