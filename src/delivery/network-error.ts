import { DeliveryError } from './sender.ts';

// https://undici.nodejs.org, "Errors"; ETIMEDOUT is the kernel's own.
const timeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);

/**
 * What a failed exchange means for the message: always `temporary`, as the next sender has another network path.
 * Nothing of the original error is kept: its message names hosts, and a TLS error may quote what was received.
 *
 * @param error what undici threw
 * @param signal the attempt's own; when it fired, that is the reason, whatever the error looks like
 * @returns reason `timeout`, `bad_response` (not HTTP, or too large) or `connection` (refused, reset, DNS, TLS)
 */
export function networkError(error: unknown, signal: AbortSignal): DeliveryError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (signal.aborted || timeouts.has(code)) return new DeliveryError('temporary', 'timeout');
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' || code.startsWith('HPE_')) {
    return new DeliveryError('temporary', 'bad_response');
  }
  return new DeliveryError('temporary', 'connection');
}
