import t from 'tap';
import { DoorcodeError, type ProblemCode, problems } from '../src/errors.ts';

t.test('each code has the status that clients were told', async (t) => {
  // Stable: a change here breaks clients.
  const statuses: Record<ProblemCode, number> = {
    invalid_request: 400,
    not_found: 404,
    method_not_allowed: 405,
    invalid_credentials: 401,
    challenge_missing: 401,
    not_authenticated: 401,
    otp_invalid: 403,
    otp_expired: 410,
    otp_used: 409,
    otp_attempts_exhausted: 429,
    account_locked: 429,
    too_many_requests: 429,
    cross_site_request: 403,
    redirect_loop: 508,
    delivery_failed: 503,
    delivery_rejected: 422,
    directory_unavailable: 503,
    limits_unavailable: 503,
    overloaded: 503,
    internal_error: 500,
  };
  t.strictSame(Object.keys(problems), Object.keys(statuses));
  for (const [code, status] of Object.entries(statuses)) {
    const error = new DoorcodeError(code as ProblemCode);
    t.match(error, { name: 'DoorcodeError', code, status, message: problems[code as ProblemCode].title });
    t.type(error, Error);
  }
});

t.test('the sentences that the brief asks for', async (t) => {
  t.equal(new DoorcodeError('invalid_credentials').message, 'Invalid username or password');
  t.equal(new DoorcodeError('otp_invalid').message, 'Invalid one-time password');
  t.equal(new DoorcodeError('otp_expired').message, 'One-time password has expired');
  t.equal(new DoorcodeError('internal_error').message, 'Oops, something went wrong');
});

t.test('what is not given is not there', async (t) => {
  const { detail, retryAfterSeconds, attemptsLeft, cause } = new DoorcodeError('not_found');
  t.strictSame([detail, retryAfterSeconds, attemptsLeft, cause], [undefined, undefined, undefined, undefined]);
});

t.test('what is given wins', async (t) => {
  const cause = new Error('why');
  const error = new DoorcodeError('invalid_request', {
    status: 413,
    title: 'Request body is too large',
    detail: 'at most 16 KiB',
    attemptsLeft: 0,
    cause,
  });
  t.match(error, { status: 413, message: 'Request body is too large', detail: 'at most 16 KiB', attemptsLeft: 0 });
  t.equal(error.cause, cause);
});

t.test('when to try again is told in whole seconds, never too early, never now', async (t) => {
  const seconds: [number, number][] = [
    [30, 30],
    [29.001, 30],
    [0.2, 1],
    [0, 1],
    [-5, 1],
  ];
  for (const [given, told] of seconds) {
    t.equal(new DoorcodeError('overloaded', { retryAfterSeconds: given }).retryAfterSeconds, told, String(given));
  }
});
