import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DoorcodeError } from '../errors.ts';
import { isSubrequest } from './subrequest.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a request that changes something when the browser says that another site caused it: `Sec-Fetch-Site` other
 * than `same-origin` or `none` (W3C Fetch Metadata), or, from a browser without that header, an `Origin` that is not
 * ours (RFC 6454 §7). A client that sends neither is no browser, and has no cookies that another site could ride on.
 *
 * @param ownOrigins the origins that users reach us by; asked when it matters, because a port may be known only by then
 * @param allowedOrigins web apps on other origins that may call us
 */
export function registerCrossSiteRule(
  app: FastifyInstance,
  ownOrigins: () => readonly string[],
  allowedOrigins: readonly string[],
): void {
  app.addHook('onRequest', (request, _reply, done) => {
    // A subrequest has the method and the headers of a request to an app, which judges them itself.
    const isJudged = !SAFE_METHODS.has(request.method) && !isSubrequest(request);
    const refused = isJudged && isCrossSite(request, ownOrigins, allowedOrigins);
    done(refused ? new DoorcodeError('cross_site_request') : undefined);
  });
}

function isCrossSite(
  request: FastifyRequest,
  ownOrigins: () => readonly string[],
  allowedOrigins: readonly string[],
): boolean {
  const { origin, 'sec-fetch-site': fetchSite } = request.headers;
  if (origin !== undefined && allowedOrigins.includes(origin)) return false;
  if (fetchSite !== undefined) return fetchSite !== 'same-origin' && fetchSite !== 'none';
  return origin !== undefined && !ownOrigins().includes(origin);
}
