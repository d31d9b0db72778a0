import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import t from 'tap';
import { toldSpan, withoutSecrets } from '../../src/telemetry/told-span.ts';

const span = (attributes: ReadableSpan['attributes'], name = 'request') =>
  ({
    name,
    attributes,
    events: [{ name: 'exception', attributes: { 'exception.message': 'quotes 482915' } }],
    links: [{ attributes: { secret: '482915' } }],
    status: { code: 2, message: 'quotes 482915' },
    spanContext: () => ({ traceId: 'trace' }),
  }) as unknown as ReadableSpan;

t.test('what is not on the list is left out, whatever a library adds', async (t) => {
  const told = toldSpan(
    span({
      'http.request.method': 'POST',
      'http.route': '/callbacks/plivo/answer',
      'http.response.status_code': 200,
      'url.path': '/callbacks/plivo/answer?token=secret',
      'url.full': 'https://user:secret@login.example.com/',
      'user.name': 'alice',
    }),
  );
  t.equal(told.name, 'POST /callbacks/plivo/answer');
  t.strictSame(told.attributes, {
    'http.request.method': 'POST',
    'http.route': '/callbacks/plivo/answer',
    'http.response.status_code': 200,
  });
  t.strictSame([told.events, told.links, told.status], [[], [], { code: 2 }]);
  t.match(told.spanContext(), { traceId: 'trace' });
  t.equal(toldSpan(span({ 'http.request.method': 'GET' })).name, 'GET');
  t.equal(toldSpan(span({}, 'send')).name, 'send');
});

t.test('the exporter gets spans like that, and none of the framework', async (t) => {
  const calls: unknown[] = [];
  const inner: SpanExporter = {
    export: (spans, done) => {
      calls.push(spans.map(({ name }) => name));
      done({ code: 0 });
    },
    shutdown: async () => void calls.push('shutdown'),
  };
  const exporter = withoutSecrets(inner);
  exporter.export([span({}, 'send'), span({ 'fastify.type': 'hook' }, 'hook')], () => calls.push('done'));
  await exporter.shutdown();
  t.equal(exporter.forceFlush, undefined);
  await withoutSecrets({ ...inner, forceFlush: async () => void calls.push('flush') }).forceFlush?.();
  t.strictSame(calls, [['send'], 'done', 'shutdown', 'flush']);
});
