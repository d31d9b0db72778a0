import t from 'tap';
import { traceOf } from '../../src/http/request-trace.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

t.test('what goes along with the work of a request', async (t) => {
  t.strictSame(traceOf({ id: '1', headers: {} }), { requestId: '1' });
  t.strictSame(traceOf({ id: '1', headers: { traceparent, tracestate: 'a=1' } }), {
    requestId: '1',
    traceparent,
    tracestate: 'a=1',
  });
  t.strictSame(
    traceOf({ id: '1', headers: { traceparent: 'none of it', tracestate: 'a=1' } }),
    { requestId: '1', traceparent: undefined, tracestate: undefined },
    'a state without a parent belongs to nothing',
  );
});
