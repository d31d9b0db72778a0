import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DoorcodeError } from '../errors.ts';
import type { Events } from '../events.ts';
import { wantsHtml } from './negotiate.ts';
import { isProbe } from './probe.ts';
import { traceOf } from './request-trace.ts';
import { routerError } from './router-error.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Is told of requests that are refused before anybody looked at what they want. */
    events?: Events;
  }
}

/** Shows a failure as a page; pages bring it, so that this file knows nothing of them. */
export type ProblemPage = (request: FastifyRequest, reply: FastifyReply, problem: DoorcodeError) => unknown;

const METHODS = ['GET', 'HEAD', 'POST'] as const;
/** The characters of our own paths. `hasRoute` takes others for patterns, and throws at those it cannot read. */
const PLAIN_PATH = /^[\w./-]+$/;

/** Every failure becomes RFC 9457 `application/problem+json`, or a page for a browser. */
export function registerProblems(app: FastifyInstance, page: ProblemPage): void {
  app.setErrorHandler(answerWith(page));

  app.setNotFoundHandler((request, reply) => {
    const refusal = routerError(request);
    if (refusal !== undefined) throw refusal;
    const path = request.url.replace(/\?.*/s, '');
    const allowed = METHODS.filter((method) => PLAIN_PATH.test(path) && app.hasRoute({ method, url: path }));
    if (allowed.length === 0) throw new DoorcodeError('not_found');
    reply.header('allow', allowed.join(', '));
    throw new DoorcodeError('method_not_allowed');
  });
}

/** An error handler that shows browsers a page, for the whole app or for one route that shows errors in place. */
export function answerWith(page: ProblemPage) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): unknown => {
    const problem = noted(error, request);
    if (!wantsHtml(request)) return sendProblem(reply, problem);
    setHeaders(reply, problem);
    return page(request, reply, problem);
  };
}

/** An error handler for routes that no browser opens. */
export function answerJson(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, noted(error, request));
}

/** The problem, which the log knows of when somebody should. */
function noted(error: FastifyError, request: FastifyRequest): DoorcodeError {
  const problem = toProblem(error);
  if (problem.code === 'internal_error') request.log.error({ err: error ?? null }, 'request failed');
  else if (problem.cause !== undefined) request.log.warn({ code: problem.code, err: problem.cause }, problem.message);
  else if (problem.code === 'cross_site_request' || (problem.code === 'invalid_request' && problem !== error)) {
    // Its use case has not run, and so has told nothing.
    request.server.events?.({
      type: 'refused',
      outcome: problem.code,
      trace: traceOf(request),
      probe: isProbe(request),
    });
  }
  return problem;
}

/** Answers with the problem document, status and headers included. */
export function sendProblem(reply: FastifyReply, problem: DoorcodeError): FastifyReply {
  setHeaders(reply, problem);
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify(problemBody(problem)));
}

/** The members of the problem document; absent ones are left out. */
export function problemBody(problem: DoorcodeError): object {
  const { status, code, message: title, detail, attemptsLeft, retryAfterSeconds: retryAfter } = problem;
  return { status, code, title, detail, attemptsLeft, retryAfter };
}

/** Turns whatever was thrown into a problem. What is not known to be the client's doing tells nothing of itself. */
export function toProblem(error: unknown): DoorcodeError {
  if (error instanceof DoorcodeError) return error;
  // Anything can be thrown, null included.
  const { statusCode, validation, message } = Object(error) as FastifyError;
  if (validation !== undefined) return new DoorcodeError('invalid_request', { detail: message });
  switch (statusCode) {
    case 400:
      return new DoorcodeError('invalid_request', { detail: 'the request could not be read' });
    case 413:
      return new DoorcodeError('invalid_request', { status: 413, title: 'Request body is too large' });
    case 414:
      return new DoorcodeError('invalid_request', { status: 414, title: 'Request path is too long' });
    case 415:
      return new DoorcodeError('invalid_request', { status: 415, title: 'Unsupported media type' });
    default:
      return new DoorcodeError('internal_error', { cause: error });
  }
}

function setHeaders(reply: FastifyReply, problem: DoorcodeError): void {
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds));
  if (problem.status === 401) reply.header('www-authenticate', authenticationScheme(reply.request));
}

/**
 * Every 401 names a scheme (RFC 9110 §11.6.1). No browser knows `Cookie`, so none shows its own password dialog.
 */
function authenticationScheme({ routeOptions }: FastifyRequest): string {
  const { credentials } = routeOptions.config.operation ?? {};
  return credentials?.anyOf.includes('apiKey') ? 'Bearer' : 'Cookie realm="doorcode"';
}
