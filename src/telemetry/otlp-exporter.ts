import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ExportResult, ExportResultCode, parseKeyPairsIntoRecord } from '@opentelemetry/core';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from '../log.ts';
import { createDispatcher, proxyFailure } from '../outgoing-http.ts';
import type { ProxySettings } from '../proxy-config.ts';
import type { TracingSettings } from '../tracing-config.ts';

export interface OtlpExporterOptions {
  readonly settings: TracingSettings;
  readonly proxies: ProxySettings;
  /** Gets one line when the collector stops accepting spans, for each new reason, and one when it accepts them again. */
  readonly log: Log;
}

/** The SDK sends one batch of spans after the other; the last ones at the end may overlap. */
const CONNECTIONS = 4;
/** How often a batch is sent, if there is time. */
const ATTEMPTS = 6;
/** Before the second attempt, where the collector names no time; doubles from attempt to attempt. */
const FIRST_DELAY_MS = 500;
const MAX_RESPONSE_BYTES = 64 * 1024;
/** OTLP, "OTLP/HTTP Response": what a client may try again. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Why a batch was not accepted. */
class Rejection extends Error {
  /** How long to wait before the batch may be sent again, milliseconds; null: it must not be. */
  readonly delayMs: number | undefined | null;

  constructor(reason: string, delayMs?: number | null) {
    super(reason);
    this.delayMs = delayMs;
  }
}

/**
 * Sends spans by OTLP/HTTP (opentelemetry.io/docs/specs/otlp) with our own HTTP client, because the one of the SDK uses
 * no proxy and reports no failure. A batch that a collector cannot take at the moment is sent again until the timeout.
 */
export function createOtlpExporter({ settings, proxies, log }: OtlpExporterOptions): SpanExporter {
  const { protocol, compression, timeoutMs, tls } = settings;
  const { origin, host, pathname, search } = new URL(settings.url);
  const serializer = protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  const dispatcher = createDispatcher(origin, proxies, {
    connections: CONNECTIONS,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: MAX_RESPONSE_BYTES,
    connect: { timeout: timeoutMs, ...tls },
  });
  const headers = {
    ...Object.assign({}, ...settings.headers.map((pairs) => parseKeyPairsIntoRecord(pairs))),
    'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  };
  let lastProblem: string | undefined;

  function report(problem: string | undefined, fields: object = {}): void {
    if (problem === lastProblem) return;
    if (problem === undefined) log.info({ endpoint: host }, 'collector accepts traces again');
    else log.warn({ endpoint: host, reason: problem, ...fields }, 'collector does not accept traces');
    lastProblem = problem;
  }

  /** @throws Rejection */
  async function send(body: Uint8Array, signal: AbortSignal): Promise<void> {
    const request = { origin, path: pathname + search, method: 'POST', headers, body, signal } as const;
    const { statusCode: status, headers: answered, body: answer } = await dispatcher.request(request);
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (status < 200 || status > 299) {
      throw new Rejection(`http_${status}`, RETRYABLE.has(status) ? retryAfterMs(answered['retry-after']) : null);
    }
    // A web page is the answer of a server that is no collector.
    if (/^text\/html/i.test(String(answered['content-type']))) throw new Rejection('not_a_collector', null);
    const rejected = rejectedSpans(serializer, bytes);
    if (rejected > 0) report('rejected_spans', { rejected });
    else report(undefined);
  }

  async function exportBatch(spans: ReadableSpan[]): Promise<void> {
    const data = serializer.serializeRequest(spans);
    if (data === undefined) throw new Error('the spans cannot be encoded');
    const body = compression === 'gzip' ? await promisify(gzip)(data) : data;
    const signal = AbortSignal.timeout(timeoutMs);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send(body, signal);
      } catch (error) {
        const rejection = error instanceof Rejection ? error : new Rejection(reasonOf(error));
        report(rejection.message);
        const delayMs = rejection.delayMs === undefined ? FIRST_DELAY_MS * 2 ** (attempt - 1) : rejection.delayMs;
        if (delayMs === null || delayMs >= timeoutMs || attempt === ATTEMPTS || signal.aborted) throw rejection;
        // Spans must not keep a process alive that has ended its work.
        await setTimeout(delayMs, undefined, { signal, ref: false }).catch(() => {
          throw rejection;
        });
      }
    }
  }

  const underWay = new Set<Promise<ExportResult>>();
  return {
    export(spans, done) {
      const batch = exportBatch(spans).then(
        () => ({ code: ExportResultCode.SUCCESS }),
        (error: Error) => ({ code: ExportResultCode.FAILED, error }),
      );
      underWay.add(batch);
      void batch.then((result) => {
        underWay.delete(batch);
        done(result);
      });
    },
    async forceFlush() {
      await Promise.all(underWay);
    },
    async shutdown() {
      await Promise.all(underWay);
      await dispatcher.destroy();
    },
  };
}

/** @returns how many spans of an accepted batch the collector rejected (OTLP, "Partial Success") */
function rejectedSpans(serializer: typeof JsonTraceSerializer, body: Uint8Array): number {
  try {
    return Number(serializer.deserializeResponse(body)?.partialSuccess?.rejectedSpans ?? 0);
  } catch {
    return 0;
  }
}

/** @returns milliseconds; undefined where the collector names no number of seconds */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,4}$/.test(header) ? Number(header) * 1000 : undefined;
}

/** The code of the error only: messages may quote headers, which contain credentials. */
function reasonOf(error: unknown): string {
  const atProxy = proxyFailure(error);
  if (atProxy !== undefined) return `proxy_${atProxy}`;
  const { name, code } = error as NodeJS.ErrnoException;
  return name === 'TimeoutError' ? 'timeout' : (code ?? name);
}
