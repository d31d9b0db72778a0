import Fastify from 'fastify';
import t from 'tap';
import { gatherRoutes } from '../../src/openapi/gather.ts';
import type { Operation } from '../../src/openapi/operation.ts';

t.test('routes are noted as they are registered, in plugins as well', async (t) => {
  const app = Fastify();
  app.get('/before', async () => 'not noted');
  const routes = gatherRoutes(app);
  const operation: Operation = { id: 'one', group: 'service', summary: 'One', answers: {} };
  const schema = { body: { type: 'object' } };
  app.post('/one', { schema, config: { operation } }, async () => 'one');
  await app.register(async (inner) => void inner.get('/two', async () => 'two'), { prefix: '/inner' });
  t.strictSame(routes, [
    { method: 'POST', url: '/one', schema, operation },
    { method: 'GET', url: '/inner/two', schema: {}, operation: undefined },
  ]);
});

t.test('of a route with several methods each is noted, but not HEAD and OPTIONS', async (t) => {
  const app = Fastify();
  const routes = gatherRoutes(app);
  app.route({ method: ['GET', 'OPTIONS', 'PUT'], url: '/', handler: async () => 'x' });
  t.strictSame(
    routes.map(({ method }) => method),
    ['GET', 'PUT'],
  );
});

t.test('an authentication subrequest is noted once, as GET of its own path', async (t) => {
  const app = Fastify();
  const routes = gatherRoutes(app);
  for (const url of ['/auth', '/auth/*'])
    app.route({ method: ['GET', 'POST', 'HEAD'], url, config: { subrequest: true }, handler: async () => 'x' });
  t.match(routes, [{ method: 'GET', url: '/auth' }]);
  t.equal(routes.length, 1);
});
