import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Operation } from '../openapi/operation.ts';

/** Whether this process is on its way out; one object that the process and its app share. */
export interface Lifecycle {
  draining: boolean;
}

/** A part that must work before traffic may come: its name, and null or what is wrong with it. */
export type ReadinessCheck = () => Promise<string | null> | string | null;

const alive = {
  type: 'object',
  properties: { status: { type: 'string', const: 'ok' } },
  required: ['status'],
  examples: [{ status: 'ok' }],
} as const;

const readiness = (status: 'ready' | 'not_ready', process: string) =>
  ({
    type: 'object',
    properties: {
      status: { type: 'string', const: status },
      checks: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: '`ok`, or what is wrong, by the part of the service',
      },
      warnings: {
        type: 'array',
        items: { type: 'string' },
        description: 'what works but should not stay as it is',
      },
    },
    required: ['status', 'checks', 'warnings'],
    examples: [{ status, checks: { process, delivery: 'ok' }, warnings: [] }],
  }) as const;

/** The part that may be left out: what sign-ins need, and sessions do not. */
const readinessQuery = {
  type: 'object',
  properties: {
    exclude: {
      type: 'string',
      enum: ['limits'],
      description: 'a part that is not looked at: sessions go on while the limit store is away',
    },
  },
  additionalProperties: false,
} as const;

const healthz: Operation = {
  id: 'healthz',
  group: 'service',
  summary: 'Whether the process is alive',
  alwaysAnswered: true,
  answers: { 200: { description: 'Alive' } },
};

const readyz: Operation = {
  id: 'readyz',
  group: 'service',
  summary: 'Whether it should get traffic',
  alwaysAnswered: true,
  answers: { 200: { description: 'Ready' }, 503: { description: 'Not now' } },
};

/**
 * `/healthz` says that the process is alive, `/readyz` whether it should get traffic. While draining, readiness is 503
 * and every answer asks the client to open a new connection next time, which then reaches another replica.
 *
 * A gateway asks `/readyz?exclude=limits`: the store is the same for all replicas, so without it none would be ready,
 * and the gateway would have nobody to ask who is signed in, nor to say why nobody can sign in.
 *
 * @param warnings what works but should not stay as it is, in a few words each
 */
export function registerHealth(
  app: FastifyInstance,
  lifecycle: Lifecycle,
  checks: Readonly<Record<string, ReadinessCheck>>,
  warnings: () => readonly string[] = () => [],
): void {
  app.get('/healthz', { schema: { response: { 200: alive } }, config: { operation: healthz } }, async () => ({
    status: 'ok',
  }));

  const response = { 200: readiness('ready', 'ok'), 503: readiness('not_ready', 'shutting down') };
  app.get<{ Querystring: { exclude?: string } }>(
    '/readyz',
    { schema: { querystring: readinessQuery, response }, config: { operation: readyz } },
    async (request, reply) => {
      const results: Record<string, string> = { process: lifecycle.draining ? 'shutting down' : 'ok' };
      for (const [name, check] of Object.entries(checks))
        if (name !== request.query.exclude) results[name] = await run(request, name, check);
      const ready = Object.values(results).every((result) => result === 'ok');
      return reply
        .code(ready ? 200 : 503)
        .send({ status: ready ? 'ready' : 'not_ready', checks: results, warnings: warnings() });
    },
  );

  app.addHook('onSend', (_request, reply, payload, done) => {
    if (lifecycle.draining) reply.header('connection', 'close');
    done(null, payload);
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
