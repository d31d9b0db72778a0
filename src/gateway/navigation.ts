import type { FastifyRequest } from 'fastify';
import { wantsHtml } from '../http/negotiate.ts';

/** Destinations of navigation requests (Fetch Standard §2.2.5). */
const DESTINATIONS: readonly unknown[] = ['document', 'embed', 'frame', 'iframe', 'object'];

/**
 * Whether the request that a gateway asks about is a browser's navigation, so that a redirect to the login page shows
 * that page to its user. A script, an image or a WebSocket cannot follow it there: those need a 401.
 *
 * Browsers say so in `Sec-Fetch-Mode` and `Sec-Fetch-Dest` (Fetch Metadata), but not over http, and older ones not at all.
 * Without these headers it is a request that prefers HTML and that no script is known to have sent.
 *
 * @param method of the original request. A form that is posted is a navigation as well; HEAD and OPTIONS never are
 */
export function isNavigation(request: FastifyRequest, method: string): boolean {
  if (method !== 'GET' && method !== 'POST') return false;
  const { headers } = request;
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  if (mode !== undefined || destination !== undefined) {
    return (mode ?? 'navigate') === 'navigate' && (destination === undefined || DESTINATIONS.includes(destination));
  }
  // A navigation that reads has no Origin; `fetch` to another origin has one.
  const isScript = headers['x-requested-with'] !== undefined || (method === 'GET' && headers.origin !== undefined);
  return !isScript && headers.upgrade === undefined && wantsHtml(request);
}
