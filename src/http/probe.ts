import type { FastifyRequest } from 'fastify';

/** Whether a URL, with or without a query, has a path of health checks. */
export function isProbePath(url: string): boolean {
  return /^\/(?:healthz|readyz)(?:\?|$)/.test(url);
}

/**
 * Whether a request is a health check of a gateway or an orchestrator: any method and any query on `/healthz` or
 * `/readyz`. Such requests arrive several times a second and are logged at level `debug` only.
 */
export function isProbe({ routeOptions, url }: Pick<FastifyRequest, 'routeOptions' | 'url'>): boolean {
  // A method that the path does not have belongs to no route.
  return isProbePath(routeOptions.url ?? url);
}
