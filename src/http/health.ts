import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Operation } from '../openapi/operation.ts';
import { EXCLUDABLE, type Excludable, type Lifecycle, type ReportReadiness } from './readiness.ts';

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
        description: '`ok`, or what is wrong, by the part of the service; only for trusted clients',
      },
      warnings: {
        type: 'array',
        items: { type: 'string' },
        description: 'what works but needs the attention of the operator; only for trusted clients',
      },
    },
    required: ['status'],
    examples: [{ status }, { status, checks: { process, delivery: 'ok' }, warnings: [] }],
  }) as const;

const readinessQuery = {
  type: 'object',
  properties: {
    exclude: {
      type: 'string',
      enum: EXCLUDABLE,
      description: 'a part that is not checked: sessions continue while the limit store is unavailable',
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
  description:
    'Anonymous clients get the status only. Requests that the service receives directly from its own machine or from an ' +
    'address in `TRUST_PROXY`, and requests to `/readyz` on `METRICS_PORT`, get the details.',
  alwaysAnswered: true,
  answers: { 200: { description: 'Ready' }, 503: { description: 'Not now' } },
};

export interface HealthOptions {
  readonly lifecycle: Lifecycle;
  readonly report: ReportReadiness;
  /** Whether the client of a request may see the names of checks and the warnings. */
  readonly seesDetails: (request: FastifyRequest) => boolean;
}

/**
 * `/healthz` reports that the process is alive, `/readyz` whether it should get traffic. While the process shuts down,
 * readiness is 503 and every response asks the client to open a new connection next time, which then reaches another
 * replica.
 *
 * Gateways request `/readyz?exclude=limits`. The limit store is the same for all replicas: without it, no replica would be
 * ready, and the gateway could neither check sessions nor show why a sign-in fails.
 */
export function registerHealth(app: FastifyInstance, { lifecycle, report, seesDetails }: HealthOptions): void {
  app.get('/healthz', { schema: { response: { 200: alive } }, config: { operation: healthz } }, async () => ({
    status: 'ok',
  }));

  const response = { 200: readiness('ready', 'ok'), 503: readiness('not_ready', 'shutting down') };
  app.get<{ Querystring: { exclude?: Excludable } }>(
    '/readyz',
    { schema: { querystring: readinessQuery, response }, config: { operation: readyz } },
    async (request, reply) => {
      const { ready, checks, warnings } = await report(request.query.exclude);
      const status = ready ? 'ready' : 'not_ready';
      return reply.code(ready ? 200 : 503).send(seesDetails(request) ? { status, checks, warnings } : { status });
    },
  );

  app.addHook('onSend', (_request, reply, payload, done) => {
    if (lifecycle.draining) reply.header('connection', 'close');
    done(null, payload);
  });
}
