import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Whether this process is on its way out; one object that the process and its app share. */
export interface Lifecycle {
  draining: boolean;
}

/** A part that must work before traffic may come: its name, and null or what is wrong with it. */
export type ReadinessCheck = () => Promise<string | null> | string | null;

/**
 * `/healthz` says that the process is alive, `/readyz` whether it should get traffic. While draining, readiness is 503
 * and every answer asks the client to open a new connection next time, which then reaches another replica.
 *
 * @param warnings what works but should not stay as it is, in a few words each
 */
export function registerHealth(
  app: FastifyInstance,
  lifecycle: Lifecycle,
  checks: Readonly<Record<string, ReadinessCheck>>,
  warnings: () => readonly string[] = () => [],
): void {
  app.get('/healthz', async () => ({ status: 'ok' }));

  app.get('/readyz', async (request, reply) => {
    const results: Record<string, string> = { process: lifecycle.draining ? 'shutting down' : 'ok' };
    for (const [name, check] of Object.entries(checks)) results[name] = await run(request, name, check);
    const ready = Object.values(results).every((result) => result === 'ok');
    return reply
      .code(ready ? 200 : 503)
      .send({ status: ready ? 'ready' : 'not_ready', checks: results, warnings: warnings() });
  });

  app.addHook('onSend', async (_request, reply) => {
    if (lifecycle.draining) reply.header('connection', 'close');
  });
}

async function run(request: FastifyRequest, name: string, check: ReadinessCheck): Promise<string> {
  try {
    return (await check()) ?? 'ok';
  } catch (error) {
    request.log.warn({ check: name, err: error }, 'readiness check failed');
    return 'check failed';
  }
}
