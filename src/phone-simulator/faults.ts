import type { Provider } from './provider.ts';

/** What can go wrong between a service and a phone. */
export type Fault =
  | 'rejected'
  | 'opted_out'
  | 'too_many_requests'
  | 'server_error'
  | 'reset'
  | 'hang'
  | 'accepted_hang'
  | 'slow'
  | 'duplicate'
  | 'undelivered';

/** How long the answer takes for a number that is slow: less than a service waits for it. */
export const SLOW_MS = 3000;

/** The agreed digits: a number that ends in them meets with the fault. Every other number works. */
export const faultDigits: readonly { readonly digits: string; readonly fault: Fault; readonly what: string }[] = [
  { digits: '901', fault: 'rejected', what: 'refused: the number is not valid' },
  { digits: '902', fault: 'opted_out', what: 'refused: the recipient has opted out' },
  { digits: '903', fault: 'too_many_requests', what: '429, too many requests' },
  { digits: '904', fault: 'server_error', what: '500 with a page of HTML' },
  { digits: '905', fault: 'reset', what: 'the connection is cut' },
  { digits: '906', fault: 'hang', what: 'no answer, ever' },
  { digits: '907', fault: 'accepted_hang', what: 'it arrives, but the answer stops half-way' },
  { digits: '908', fault: 'slow', what: `it arrives, ${SLOW_MS / 1000} s late` },
  { digits: '909', fault: 'duplicate', what: 'it arrives twice' },
  { digits: '910', fault: 'undelivered', what: 'accepted, but never delivered' },
];

/** The fault that a number stands for by its last three digits, or null. */
export function faultOf(to: string): Fault | null {
  return faultDigits.find(({ digits }) => to.endsWith(digits))?.fault ?? null;
}

/**
 * Reads `provider=fault`, such as `signalwire=hang`.
 *
 * @returns null when there is no such provider or fault
 */
export function parseFault(text: string): [Provider, Fault] | null {
  const [provider, fault] = text.split('=');
  const found = faultDigits.find((known) => known.fault === fault);
  const named = (['signalwire', 'twilio', 'plivo'] as const).find((known) => known === provider);
  return found === undefined || named === undefined || text !== `${provider}=${fault}` ? null : [named, found.fault];
}
