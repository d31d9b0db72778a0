import type { IncomingMessage } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

const refused = new WeakMap<IncomingMessage, FastifyError>();

/**
 * Takes what the router itself refuses, such as a path with a broken percent-encoding. Fastify answers it outside of
 * all hooks, so without the security headers, the log line and whatever else every answer has; the request goes through
 * the router once more instead, to an address that no route has, where {@link routerError} tells what was wrong with it.
 */
export function sendThroughHooks(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  refused.set(request.raw, error);
  request.raw.url = '/router-error';
  request.server.routing(request.raw, reply.raw);
}

/** @returns why the router refused this request, or undefined when it did not */
export function routerError(request: FastifyRequest): FastifyError | undefined {
  return refused.get(request.raw);
}
