/**
 * Every way in which a request can fail, with the stable `code` that clients may rely on (RFC 9457 carries it as an
 * extension member). The title is for people and may change.
 */
export const problems = {
  invalid_request: { status: 400, title: 'Invalid request' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  invalid_credentials: { status: 401, title: 'Invalid username or password' },
  challenge_missing: { status: 401, title: 'No sign-in is open, please log in again' },
  not_authenticated: { status: 401, title: 'Not signed in' },
  otp_invalid: { status: 403, title: 'Invalid one-time password' },
  otp_expired: { status: 410, title: 'One-time password has expired' },
  otp_used: { status: 409, title: 'One-time password has been used or replaced' },
  otp_attempts_exhausted: { status: 429, title: 'Too many wrong codes, please request a new one' },
  account_locked: { status: 429, title: 'Too many wrong codes, this account is locked for a while' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  cross_site_request: { status: 403, title: 'Request from another site refused' },
  redirect_loop: { status: 508, title: 'The app does not see this sign-in and sends its user back again and again' },
  delivery_failed: { status: 503, title: 'The code could not be sent' },
  delivery_rejected: { status: 422, title: 'This phone number cannot be reached' },
  directory_unavailable: { status: 503, title: 'The user directory is unavailable' },
  limits_unavailable: { status: 503, title: 'The limit store is unavailable' },
  overloaded: { status: 503, title: 'The service is overloaded' },
  internal_error: { status: 500, title: 'Oops, something went wrong' },
} as const;

export type ProblemCode = keyof typeof problems;

export interface ProblemOptions {
  /** Overrides the status of the table: 408, 413, 414, 415 and 431 share `invalid_request`. */
  status?: number;
  title?: string;
  /** One sentence for the developer who reads the answer. Never holds what the client sent. */
  detail?: string;
  /** Becomes the Retry-After header and the `retryAfter` member. Whole seconds, at least 1. */
  retryAfterSeconds?: number;
  attemptsLeft?: number;
  /** Which limit was reached, for log and metrics; no answer tells it. */
  limit?: string;
  /** Of a failed delivery: whether a provider may have accepted the message all the same. */
  maybeSent?: boolean;
  cause?: unknown;
}

/** A failure that a client is told about, by its code. Anything else that is thrown is an `internal_error`. */
export class DoorcodeError extends Error {
  override readonly name = 'DoorcodeError';
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly attemptsLeft: number | undefined;
  readonly limit: string | undefined;
  readonly maybeSent: boolean;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    // Where it was thrown nobody asks: the code says what happened, and the cause has a stack of its own. Collecting one
    // costs more than comparing a code does.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(options.title ?? problems[code].title, { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.status = options.status ?? problems[code].status;
    this.detail = options.detail;
    this.retryAfterSeconds =
      options.retryAfterSeconds === undefined ? undefined : Math.max(1, Math.ceil(options.retryAfterSeconds));
    this.attemptsLeft = options.attemptsLeft;
    this.limit = options.limit;
    this.maybeSent = options.maybeSent ?? false;
  }
}
