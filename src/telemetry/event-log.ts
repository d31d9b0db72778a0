import type { Logger } from 'pino';
import type { Asked, Checked, DoorcodeEvent, Events, Outcome, Refused } from '../events.ts';
import { traceIdOf } from '../trace.ts';
import type { HashSubject } from './subject.ts';

export interface EventLogOptions {
  readonly logger: Logger;
  readonly hashSubject: HashSubject;
  /** All of a phone number that may be shown. */
  readonly mask: (phone: string) => string;
}

/**
 * One line for each event, in the words of OWASP's Logging Vocabulary: `event` has the word, `msg` the word with its
 * subject, `authn_login_success:SUBJECT`. What the vocabulary has no word for is named in its manner. The page
 * docs/logging.md lists them.
 *
 * Nothing is built for a line that is not written.
 */
export function createEventLog({ logger, hashSubject, mask }: EventLogOptions): Events {
  return (event) => {
    const word = wordOf(event);
    if (word === null) return;
    const level = WARNINGS.has(word) ? 'warn' : event.type === 'refused' && event.probe ? 'debug' : 'info';
    if (!logger.isLevelEnabled(level)) return;
    const subject = 'subject' in event && event.subject !== undefined ? hashSubject(event.subject) : undefined;
    const fields = { event: word, subject, ...fieldsOf(event, mask) };
    const about = [subject, detailOf(event)].filter((part) => part !== undefined).join(',');
    logger[level](fields, about === '' ? word : `${word}:${about}`);
  };
}

/** What somebody should look at. The rest is everyday, a wrong code and a request that cannot be read among it. */
const WARNINGS: ReadonlySet<string> = new Set([
  'authn_login_fail_max',
  'authn_login_lock',
  'authn_token_reuse',
  'authn_delivery_fail',
  'authn_unavailable',
  'excess_rate_limit_exceeded',
]);

/** @returns null for what has lines of its own: attempts of senders, receipts, the clock, requests in an overload */
function wordOf(event: DoorcodeEvent): string | null {
  switch (event.type) {
    case 'asked':
      return askedWord(event);
    case 'checked':
      return checkedWord(event);
    case 'locked':
      return 'authn_login_lock';
    case 'signed_out':
      return 'session_expired';
    case 'refused':
      return REFUSED[event.outcome] ?? null;
    default:
      return null;
  }
}

const REFUSED: Readonly<Partial<Record<Outcome, string>>> = {
  invalid_request: 'input_validation_fail',
  cross_site_request: 'malicious_cors',
  not_authenticated: 'authz_fail',
};

/** Failures that lie with us or with somebody we ask. */
const OUTAGES: readonly Outcome[] = ['directory_unavailable', 'limits_unavailable', 'overloaded', 'internal_error'];

function askedWord({ outcome }: Asked): string {
  if (outcome === 'ok') return 'authn_token_created';
  if (outcome === 'too_many_requests') return 'excess_rate_limit_exceeded';
  if (outcome === 'invalid_request') return 'input_validation_fail';
  if (outcome === 'delivery_failed' || outcome === 'delivery_rejected') return 'authn_delivery_fail';
  if (outcome === 'otp_used') return 'authn_token_reuse';
  return OUTAGES.includes(outcome) ? 'authn_unavailable' : 'authn_login_fail';
}

function checkedWord({ outcome }: Checked): string {
  if (outcome === 'ok') return 'authn_login_success';
  if (outcome === 'otp_used') return 'authn_token_reuse';
  if (outcome === 'otp_attempts_exhausted') return 'authn_login_fail_max';
  return OUTAGES.includes(outcome) ? 'authn_unavailable' : 'authn_login_fail';
}

/** What the vocabulary has behind the subject. */
function detailOf(event: DoorcodeEvent): string | undefined {
  if (event.type === 'signed_out') return 'logout';
  if (event.type === 'locked') return 'maxretries';
  return event.type === 'asked' && event.outcome === 'too_many_requests' ? event.limit : undefined;
}

function fieldsOf(event: DoorcodeEvent, mask: (phone: string) => string): object {
  const { type: _, ...rest } = event;
  const { trace, phone, subject: __, probe: ___, ...fields } = rest as Partial<Asked> & Pick<Refused, 'probe'>;
  return {
    reqId: trace?.requestId,
    traceId: trace === undefined ? undefined : traceIdOf(trace),
    to: phone === undefined ? undefined : mask(phone),
    ...fields,
  };
}
