import { type ProblemCode, problems } from '../errors.ts';
import type { GatheredRoute } from './gather.ts';
import { answerHeaders, type Operation } from './operation.ts';

const codes = Object.keys(problems) as ProblemCode[];

/** RFC 9457, with our `code`; the component `Problem` of the document. */
export const problemSchema = {
  type: 'object',
  description:
    'A failure (RFC 9457). Rely on `code`, which stays the same; `title` is for people. An address that does not exist ' +
    'is answered 404 `not_found`, another method 405 `method_not_allowed` with an Allow header; a request that is too ' +
    'slow 408, and one whose headers are too large 431, both `invalid_request`.',
  properties: {
    status: { type: 'integer', description: 'the status of the answer, once more' },
    code: { type: 'string', enum: codes },
    title: { type: 'string' },
    detail: { type: 'string', description: 'what is wrong with the request, for its developer' },
    attemptsLeft: { type: 'integer', description: 'guesses that are left for this code' },
    retryAfter: { type: 'integer', minimum: 1, description: 'seconds, as in the Retry-After header' },
  },
  required: ['status', 'code', 'title'],
  additionalProperties: false,
} as const;

/** What the members beyond the usual ones look like. */
const EXAMPLES: Partial<Record<ProblemCode, object>> = {
  otp_invalid: { attemptsLeft: 4 },
  otp_attempts_exhausted: { attemptsLeft: 0 },
  account_locked: { retryAfter: 900 },
  too_many_requests: { retryAfter: 28 },
  delivery_failed: { retryAfter: 5 },
  directory_unavailable: { retryAfter: 5 },
  limits_unavailable: { retryAfter: 1 },
  overloaded: { retryAfter: 1 },
};

/** What a request without a good API key is told. */
export const API_KEY_REFUSED = 'API key missing, unknown or expired';

const RETRY_AFTER = { type: 'integer', minimum: 1, description: 'seconds; absent when unknown' };
const authenticationHeader = (scheme: string) => ({ type: 'string', const: scheme });

/** The failures of a route by status: its own, and those that every route with its method shares. */
export function problemsOf({ method, schema, operation }: GatheredRoute): Map<number, ProblemCode[]> {
  const found = new Map<number, ProblemCode[]>();
  const add = (status: number, code: ProblemCode) => found.set(status, [...(found.get(status) ?? []), code]);
  const changes = method !== 'GET';
  if (changes || schema.querystring !== undefined) add(400, 'invalid_request');
  // Too large, and of a type that is not read.
  if (changes) for (const status of [413, 415]) add(status, 'invalid_request');
  if (changes) add(problems.cross_site_request.status, 'cross_site_request');
  const own = operation?.errors ?? [];
  for (const code of own) add(problems[code].status, code);
  add(problems.internal_error.status, 'internal_error');
  if (!operation?.alwaysAnswered && !own.includes('overloaded')) add(problems.overloaded.status, 'overloaded');
  return found;
}

/** A response of the document that tells these failures, with an example of each. */
export function problemResponse(status: number, codes: readonly ProblemCode[], operation: Operation): object {
  const byKey = operation.credentials?.anyOf.includes('apiKey') === true;
  const titleOf = (code: ProblemCode) =>
    byKey && code === 'not_authenticated' ? API_KEY_REFUSED : problems[code].title;
  const example = (code: ProblemCode) => ({ value: { status, code, title: titleOf(code), ...EXAMPLES[code] } });
  const headers = Object.fromEntries([
    ...(operation.failureHeaders ?? []).map((name) => [name, answerHeaders[name]]),
    ...(status === 429 || status === 503 ? [['Retry-After', RETRY_AFTER]] : []),
    ...(status === 401
      ? [['WWW-Authenticate', authenticationHeader(byKey ? 'Bearer' : 'Cookie realm="doorcode"')]]
      : []),
  ]);
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('; '),
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'object', properties: { code: { enum: codes } } }],
        },
        examples: Object.fromEntries(codes.map((code) => [code, example(code)])),
      },
      ...(operation.jsonOnly
        ? {}
        : { 'text/html': { schema: { type: 'string', description: 'a page that says the same' } } }),
    },
  };
}
