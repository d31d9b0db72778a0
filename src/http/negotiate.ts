import accepts from '@fastify/accepts';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Whether the client prefers a page to JSON: a browser does, a client that takes anything does not (RFC 9110 §12.5.1). */
export function wantsHtml(request: FastifyRequest): boolean {
  const accept = request.headers.accept;
  // Most API clients are answered without parsing.
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return false;
  return request.accepts().type(['json', 'html']) === 'html';
}

export async function registerNegotiation(app: FastifyInstance): Promise<void> {
  await app.register(accepts);
}
