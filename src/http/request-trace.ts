import type { FastifyRequest } from 'fastify';
import { parseTraceparent, parseTracestate, type Trace } from '../trace.ts';

/** What goes along with the work that a request asks for: its id, and the W3C trace that it came with, if any. */
export function traceOf({ id, headers }: Pick<FastifyRequest, 'id' | 'headers'>): Trace {
  if (headers['traceparent'] === undefined) return { requestId: id };
  const traceparent = parseTraceparent(headers['traceparent']);
  // Without a parent, its state belongs to nothing (Trace Context §3.3).
  const tracestate = traceparent === undefined ? undefined : parseTracestate(headers['tracestate']);
  return { requestId: id, traceparent, tracestate };
}
