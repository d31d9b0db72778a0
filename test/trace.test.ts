import t from 'tap';
import { parseTraceparent, parseTracestate, traceHeaders, traceIdOf, untraced } from '../src/trace.ts';

/** The example of the standard, Trace Context §3.2.2.5. */
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

t.test('a traceparent is read as version 00', async (t) => {
  t.equal(parseTraceparent(PARENT), PARENT);
  t.equal(parseTraceparent(PARENT.replace(/^00/, 'cc')), PARENT, 'of a later version, what version 00 knows');
  t.equal(parseTraceparent(`${PARENT.replace(/^00/, 'cc')}-more`), PARENT);
});

t.test('what is no traceparent is not passed on', async (t) => {
  const wrong: Record<string, unknown> = {
    absent: undefined,
    'sent twice': [PARENT, PARENT],
    empty: '',
    'version ff': PARENT.replace(/^00/, 'ff'),
    'more behind version 00': `${PARENT}-more`,
    'joined by Node': `${PARENT}, ${PARENT}`,
    'no trace id': `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    'no parent id': `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    'upper case': PARENT.toUpperCase(),
    short: PARENT.slice(0, -1),
    'a line break': `${PARENT}\n`,
    'blanks around it': ` ${PARENT}`,
    'something else': 'secret=1',
  };
  for (const [name, header] of Object.entries(wrong)) t.equal(parseTraceparent(header), undefined, name);
});

t.test('a tracestate is passed on while it is one, and short', async (t) => {
  for (const good of ['rojo=00f067aa0ba902b7', 'congo=t61rcWkgMzE,rojo=1', 'fw529a3039@dt=FfAz-1']) {
    t.equal(parseTracestate(good), good);
  }
  for (const bad of [undefined, '', 'no equals sign', 'a=\n', 'a=ü', `a=${'x'.repeat(511)}`, ['a=1']]) {
    t.equal(parseTracestate(bad), undefined, String(bad).slice(0, 20));
  }
});

t.test('the headers that pass a trace on', async (t) => {
  t.strictSame(traceHeaders(undefined), {});
  t.strictSame(traceHeaders(untraced), {});
  t.strictSame(traceHeaders({ requestId: '1', traceparent: PARENT }), { traceparent: PARENT });
  t.strictSame(traceHeaders({ requestId: '1', traceparent: PARENT, tracestate: 'a=1' }), {
    traceparent: PARENT,
    tracestate: 'a=1',
  });
  t.equal(traceIdOf({ requestId: '1', traceparent: PARENT }), TRACE_ID);
  t.equal(traceIdOf(untraced), undefined);
});
