import type { FastifyInstance } from 'fastify';
import type { Pages } from '../pages/render.ts';
import type { About, ApiDocument } from './document.ts';
import type { GatheredRoute } from './gather.ts';
import type { Operation } from './operation.ts';

export interface OpenApiRoutes {
  /** What is told. */
  readonly routes: readonly GatheredRoute[];
  /** Asked when the document is made: a port may be known only once we listen. */
  readonly about: () => About;
  readonly pages: Pages;
}

const documentOperation: Operation = {
  id: 'openapi',
  group: 'service',
  summary: 'This description, as OpenAPI 3.1',
  answers: { 200: { description: 'The document', type: 'application/json' } },
};

const docsOperation: Operation = {
  id: 'docs',
  group: 'service',
  summary: 'This description, as a page',
  answers: { 200: { description: 'The page', type: 'text/html' } },
};

/** The description of the API, for programs and for people. It is made when it is first asked for, and kept. */
export function registerOpenApi(app: FastifyInstance, { routes, about, pages }: OpenApiRoutes): void {
  let made: Promise<{ document: ApiDocument; json: string }> | undefined;

  async function make() {
    const { buildDocument } = await import('./document.ts');
    const document = await buildDocument(routes, about());
    return { document, json: JSON.stringify(document) };
  }
  const description = () => {
    made ??= make();
    return made;
  };

  app.get('/openapi.json', { config: { operation: documentOperation } }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send((await description()).json),
  );

  let page: Promise<object> | undefined;
  app.get('/docs', { config: { operation: docsOperation } }, async (_request, reply) => {
    page ??= Promise.all([description(), import('./docs-page.ts')]).then(([{ document }, { docsPageOf }]) =>
      docsPageOf(document),
    );
    return pages.docs(reply, await page);
  });
}
