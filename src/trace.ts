/**
 * Which request a piece of work is done for, so that log lines, and the traces of other services, can be put together.
 * It is handed along with the work: a store that follows asynchronous calls would cost every request.
 */
export interface Trace {
  /** Of the log lines about this request. */
  readonly requestId: string;
  /** W3C Trace Context, version 00; passed on to whom we ask. */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** Of work that no request has asked for. */
export const untraced: Trace = { requestId: '' };

/** Version, trace id, parent id, flags; a version above 00 may have more behind (Trace Context §3.2). */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:$|-)/;
/** One list member or more, `key=value`; §3.3.1 asks for 512 characters to be passed on. */
const TRACESTATE = /^[a-z0-9][\w\-*/@]{0,255}=[\x20-\x7e]{1,500}$/;
const MAX_TRACESTATE = 512;

/** @returns the header as version 00 writes it, or undefined for anything that is none */
export function parseTraceparent(header: unknown): string | undefined {
  if (typeof header !== 'string') return undefined;
  const [, traceId, parentId, flags] = TRACEPARENT.exec(header) ?? [];
  // Version 00 has nothing behind its flags.
  if (traceId === undefined || (header.startsWith('00') && header.length > 55)) return undefined;
  return `00-${traceId}-${parentId}-${flags}`;
}

/** @param header one line, as Node joins several */
export function parseTracestate(header: unknown): string | undefined {
  return typeof header === 'string' && header.length <= MAX_TRACESTATE && TRACESTATE.test(header) ? header : undefined;
}

/** The headers that pass the trace on; none when there is none. */
export function traceHeaders(trace: Trace | undefined): Readonly<Record<string, string>> {
  if (trace?.traceparent === undefined) return NONE;
  const { traceparent, tracestate } = trace;
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** The 32 hex digits by which the trace is found. */
export function traceIdOf({ traceparent }: Trace): string | undefined {
  return traceparent?.slice(3, 35);
}

/** Port: one step of the work, as traces show it. */
export interface Span {
  /** What is handed on, so that what others do hangs below this step. */
  readonly trace: Trace;
  /** @param failure a short word for what went wrong; never what an error quotes */
  end(failure?: string): void;
}

/**
 * Port: begins a step of the work.
 *
 * @param attributes names of our own parts only: never anything of a user
 */
export type StartSpan = (
  name: 'send' | 'directory',
  trace: Trace | undefined,
  attributes?: Readonly<Record<string, string>>,
) => Span;
