import { proxyFailure } from '../outgoing-http.ts';
import { DeliveryError } from './sender.ts';

// https://undici.nodejs.org, "Errors"; ETIMEDOUT is the kernel's own.
const timeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);

/**
 * What a failed exchange means for the message: always `temporary`, as the next sender has another network path.
 * Only the error's code is kept: its message names hosts, and a TLS error may quote what was received.
 *
 * @param error what undici threw; one that is judged already stays as it is
 * @param signal the attempt's own; when it fired, that is the reason, whatever the error looks like
 * @returns reason `timeout`, `bad_response` (not HTTP, or too large), `certificate` (nobody we trust signed it, it is
 *   another host's, or its time is over), `proxy` (it cannot be reached, or refuses) or `connection` (refused, reset, DNS, TLS)
 */
export function networkError(error: unknown, signal: AbortSignal): DeliveryError {
  if (error instanceof DeliveryError) return error;
  // The provider got nothing of the request.
  const atProxy = proxyFailure(error);
  if (atProxy !== undefined && !signal.aborted) return new DeliveryError('temporary', 'proxy', atProxy);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = signal.aborted ? 'timeout' : reasonOf(code);
  const detail = code === '' ? undefined : code;
  // Without a connection no request was written, so the provider cannot have accepted anything.
  return neverConnected(error, code)
    ? new DeliveryError('temporary', reason, detail, false)
    : new DeliveryError('temporary', reason, detail);
}

const CONNECT_CODES = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

function neverConnected(error: unknown, code: string): boolean {
  // Node tries all addresses of a host in turn and reports their failures together.
  if (CONNECT_CODES.has(code) || error instanceof AggregateError) return true;
  return error instanceof Error && 'syscall' in error && error.syscall === 'connect';
}

function reasonOf(code: string): string {
  if (timeouts.has(code)) return 'timeout';
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' || code.startsWith('HPE_')) return 'bad_response';
  return CERTIFICATE.test(code) ? 'certificate' : 'connection';
}

// Node's names for what OpenSSL finds wrong with a certificate (tls.TLSSocket, "authorizationError").
const CERTIFICATE = /CERT|UNABLE_TO_|^ERR_TLS_CERT/;
