import type { FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';

const [JSON_TYPE, HTML_TYPE] = ['application/json', 'text/html'];

/** Whether the client prefers a page to JSON: a browser does, a client that takes anything does not (RFC 9110 §12.5.1). */
export function wantsHtml(request: FastifyRequest): boolean {
  const accept = request.headers.accept;
  // Most API clients are answered without parsing.
  if (accept === undefined || accept === '*/*' || accept === JSON_TYPE) return false;
  return new Negotiator(request).mediaType([JSON_TYPE, HTML_TYPE]) === HTML_TYPE;
}

/**
 * The language that the client prefers of those there are (RFC 9110 §12.5.4); `pt-BR` is served by `pt`.
 *
 * @param available the first is taken when the client names none of them
 */
export function preferredLanguage<Name extends string>(
  request: FastifyRequest,
  available: readonly [Name, ...Name[]],
): Name {
  const header = request.headers['accept-language'];
  if (header === undefined || header.length > MAX_ACCEPT_LANGUAGE) return available[0];
  const found = new Negotiator(request).language([...available]);
  return available.find((name) => name === found) ?? available[0];
}

/** Far more languages than anybody reads. */
const MAX_ACCEPT_LANGUAGE = 1000;
