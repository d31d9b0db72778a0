import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * An authentication subrequest of a gateway. Its method, body and headers belong to the request that the gateway
     * authenticates, so they are not judged here, and its answer carries no headers for pages.
     */
    subrequest?: boolean;
    /** Switches @fastify/cors off for the route: neither CORS headers nor answers to preflight requests. */
    cors?: false;
  }
}

/** Whether the request goes to a route for authentication subrequests. */
export function isSubrequest(request: FastifyRequest): boolean {
  return request.routeOptions.config.subrequest === true;
}
