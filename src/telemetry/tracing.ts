import fastifyOtel from '@fastify/otel';
import {
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace as traces,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { FastifyInstance } from 'fastify';
import { isProbePath } from '../http/probe.ts';
import { parseTraceparent, type StartSpan, traceIdOf, untraced } from '../trace.ts';
import { createOtlpExporter, type OtlpExporterOptions } from './otlp-exporter.ts';
import { withoutSecrets } from './told-span.ts';

export interface TracingOptions extends OtlpExporterOptions {
  readonly version: string;
}

export interface Tracing {
  /** Makes each request a span, below the one that its `traceparent` names. */
  readonly registerTracing: (app: FastifyInstance) => Promise<void>;
  readonly startSpan: StartSpan;
  /** Sends what has not been sent; waits no longer than a moment for a collector that is away. */
  close(): Promise<void>;
}

/** For what is left at the end: nobody waits longer for it. */
const CLOSE_MS = 1000;

/**
 * OpenTelemetry: a span for each request, and one for each thing that is asked of somebody else, sent over OTLP/HTTP. What
 * else there is to set are OpenTelemetry's own variables: OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_HEADERS,
 * OTEL_TRACES_SAMPLER and the like.
 *
 * Work hangs below its request because the trace is handed along with it (`trace.ts`): a request's `traceparent` is
 * replaced by that of its span, and everything that passes it on names the span.
 */
export function startTracing({ version, ...options }: TracingOptions): Tracing {
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const exporter = createOtlpExporter(options);
  const resource = resourceFromAttributes({ 'service.name': 'doorcode', 'service.version': version });
  const provider = new BasicTracerProvider({
    resource: resource.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(withoutSecrets(exporter))],
  });
  const tracer = provider.getTracer('doorcode');

  return {
    async registerTracing(app) {
      const instrumentation = new fastifyOtel.FastifyOtelInstrumentation({
        // Our hooks are many and short.
        instrumentHooks: false,
        instrumentHandler: false,
        // Messages of errors may quote what was sent.
        recordExceptions: false,
        // Gateways send several health checks a second.
        ignorePaths: ({ url }) => isProbePath(url),
        requestHook(span, request) {
          const { headers } = request;
          const context = span.spanContext();
          const came = traceIdOf({ requestId: request.id, traceparent: parseTraceparent(headers['traceparent']) });
          // The span began a trace of its own, and the state is that of another one, or of none.
          if (came !== context.traceId) headers['tracestate'] = undefined;
          headers['traceparent'] = traceparentOf(context);
          span.setAttribute('doorcode.request_id', request.id);
        },
      });
      instrumentation.setTracerProvider(provider);
      await app.register(instrumentation.plugin());
    },

    startSpan(name, trace = untraced, attributes = {}) {
      const parent = trace.traceparent === undefined ? undefined : contextOf(trace.traceparent);
      const context = parent === undefined ? ROOT_CONTEXT : traces.setSpanContext(ROOT_CONTEXT, parent);
      const named = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [`doorcode.${key}`, value]));
      const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes: named }, context);
      return {
        trace: { ...trace, traceparent: traceparentOf(span.spanContext()) },
        end(failure) {
          if (failure !== undefined) {
            span.setStatus({ code: SpanStatusCode.ERROR });
            span.setAttribute('error.type', failure);
          }
          span.end();
        },
      };
    },

    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([provider.shutdown().catch(() => {}), late]);
      clearTimeout(timer);
    },
  };
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

function contextOf(traceparent: string): SpanContext {
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}
