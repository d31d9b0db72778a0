import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import type { Operation } from './operation.ts';

/** A route as it was registered; without an operation nobody has described it yet. */
export interface GatheredRoute {
  readonly method: string;
  readonly url: string;
  readonly schema: FastifySchema;
  readonly operation: Operation | undefined;
}

/**
 * Notes every route that is registered from now on, but those that Fastify adds: HEAD for each GET, OPTIONS for CORS. An
 * authentication subrequest has any method and any path behind its own; it is noted once, as GET.
 *
 * @returns a list that grows
 */
export function gatherRoutes(app: FastifyInstance): readonly GatheredRoute[] {
  const routes: GatheredRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema, config }: RouteOptions) => {
    for (const each of [method].flat()) {
      if (config?.subrequest && (each !== 'GET' || url.endsWith('/*'))) continue;
      if (each !== 'HEAD' && each !== 'OPTIONS')
        routes.push({ method: each, url, schema: schema ?? {}, operation: config?.operation });
    }
  });
  return routes;
}
