import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

/** All that is told of a span, beside its name, times and place in the trace. */
const TOLD: ReadonlySet<string> = new Set([
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'error.type',
  'doorcode.request_id',
  'doorcode.sender',
  'doorcode.channel',
]);

/**
 * Spans as they may leave us. What libraries put into them is theirs to decide, and changes with their versions: the path
 * of a request with its query, where the token of a call and the address to return to stand, messages of errors, stacks.
 * So a span has the attributes of the list, and no events, links or messages.
 */
export function toldSpan(span: ReadableSpan): ReadableSpan {
  const attributes = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => TOLD.has(name)));
  // Its context, times and resource are getters of the class: they stay where they are.
  return Object.create(span, {
    name: { value: nameOf(span) },
    attributes: { value: attributes },
    events: { value: [] },
    links: { value: [] },
    status: { value: { code: span.status.code } },
  });
}

/** Requests are named by their method and route (OpenTelemetry, "HTTP server spans": name). */
function nameOf({ name, attributes }: ReadableSpan): string {
  const method = attributes['http.request.method'];
  const route = attributes['http.route'];
  if (typeof method !== 'string') return name;
  return typeof route === 'string' ? `${method} ${route}` : method;
}

/** An exporter that gets no more than that, and none of the framework's own steps. */
export function withoutSecrets(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans.filter(isOurs).map(toldSpan), done),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  };
}

function isOurs({ attributes }: ReadableSpan): boolean {
  return attributes['fastify.type'] === undefined;
}
