import type { FastifyRequest } from 'fastify';
import { isOrigin } from '../environment.ts';
import type { ReturnTo } from './return-to.ts';

/** Where a person who is not signed in is sent, and comes back from to what they asked for. */
export type LoginLink = (request: FastifyRequest) => string;

/**
 * Makes the links from what a gateway says of the request that it asks about, `X-Forwarded-Method`, `-Proto`, `-Host`
 * and `-Uri`. Whatever they hold, the link leads to our own origin; its `next` goes by the rules of {@link ReturnTo}.
 */
export function createLoginLink(origin: string, returnTo: ReturnTo): LoginLink {
  return (request) => `${origin}/login?next=${encodeURIComponent(returnTo(askedFor(request, origin)))}`;
}

/** The URL that the gateway was asked for, a path when it is on our own origin; undefined when that is not to be told. */
function askedFor(request: FastifyRequest, ownOrigin: string): string | undefined {
  const { 'x-forwarded-uri': uri, 'x-forwarded-method': method = 'GET' } = request.headers;
  // An address more than that of the peer is there only when the peer is trusted and told whom it asks for.
  const trusted = (request.ips?.length ?? 0) > 1;
  if (!trusted || typeof uri !== 'string' || !uri.startsWith('/')) return undefined;
  // What was posted cannot be posted again on the way back from signing in: that leads to the front door.
  const path = method === 'GET' || method === 'HEAD' ? uri : '/';
  const origin = `${request.protocol}://${request.host}`;
  if (!isOrigin(origin) || origin.endsWith('/')) return undefined;
  return new URL(origin).origin === ownOrigin ? path : origin + path;
}
