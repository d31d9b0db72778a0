import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Operation } from '../openapi/operation.ts';

const operation: Operation = {
  id: 'asset',
  group: 'service',
  summary: 'A part of the pages: stylesheet, script, logo; its name changes with its content',
  answers: {
    200: {
      description: 'To be kept for as long as wanted',
      type: ['text/css', 'text/javascript', 'image/svg+xml', 'image/png'],
    },
  },
  errors: ['not_found'],
  path: '/assets/:file',
};

/**
 * Serves a part of the pages.
 *
 * @returns the address, which changes with the content, so that it can be kept for as long as wanted
 */
export function serveAsset(
  app: FastifyInstance,
  { name, ending, type }: { readonly name: string; readonly ending: string; readonly type: string },
  content: string | Buffer,
): string {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const address = `/assets/${name}-${hash}.${ending}`;
  app.get(address, { config: { operation } }, async (_request, reply) =>
    reply.type(type).header('cache-control', 'public, max-age=31536000, immutable').send(content),
  );
  return address;
}
