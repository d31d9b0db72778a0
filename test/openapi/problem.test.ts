import t from 'tap';
import { type ProblemCode, problems } from '../../src/errors.ts';
import type { Operation } from '../../src/openapi/operation.ts';
import { problemResponse, problemSchema, problemsOf } from '../../src/openapi/problem.ts';

const operation: Operation = { id: 'some', group: 'service', summary: 'Some', answers: {} };

t.test('the component knows every code', (t) => {
  t.strictSame(problemSchema.properties.code.enum, Object.keys(problems));
  t.end();
});

t.test('what only reads can fail by itself; what changes something also by what was sent', (t) => {
  const failures = (method: string, schema: object, errors: ProblemCode[] = []) =>
    Object.fromEntries(problemsOf({ method, url: '/', schema, operation: { ...operation, errors } }));
  const always = { 500: ['internal_error'], 503: ['overloaded'] };
  t.strictSame(failures('GET', {}), always);
  t.strictSame(failures('GET', { querystring: {} }), { 400: ['invalid_request'], ...always });
  t.strictSame(failures('POST', {}, ['otp_invalid', 'otp_used']), {
    400: ['invalid_request'],
    403: ['cross_site_request', 'otp_invalid'],
    409: ['otp_used'],
    413: ['invalid_request'],
    415: ['invalid_request'],
    ...always,
  });
  t.end();
});

t.test('a failure says when to try again, how to be let in, and what it clears', (t) => {
  const headers = (status: number, more: Partial<Operation> = {}) => {
    const response = problemResponse(status, ['internal_error'], { ...operation, ...more }) as { headers?: object };
    return Object.keys(response.headers ?? {});
  };
  t.strictSame(headers(400), []);
  t.strictSame(headers(429), ['Retry-After']);
  t.strictSame(headers(503, { failureHeaders: ['Set-Cookie'] }), ['Set-Cookie', 'Retry-After']);
  t.strictSame(headers(401, { credentials: { anyOf: ['session'] } }), ['WWW-Authenticate']);
  t.strictSame(headers(401, { credentials: { anyOf: ['apiKey'] } }), ['WWW-Authenticate']);
  t.end();
});

t.test('a browser gets a page that says the same, except where none comes', (t) => {
  const types = (jsonOnly: boolean) => {
    const response = problemResponse(403, ['otp_invalid'], { ...operation, jsonOnly }) as { content: object };
    return Object.keys(response.content);
  };
  t.strictSame(types(false), ['application/problem+json', 'text/html']);
  t.strictSame(types(true), ['application/problem+json']);
  t.end();
});

t.test('each code has an example, with the status that is meant', (t) => {
  t.match(problemResponse(413, ['invalid_request'], operation), {
    description: '`invalid_request`: Invalid request',
    content: {
      'application/problem+json': {
        examples: { invalid_request: { value: { status: 413, code: 'invalid_request', title: 'Invalid request' } } },
      },
    },
  });
  t.end();
});
