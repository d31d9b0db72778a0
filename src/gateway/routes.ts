import type { FastifyInstance } from 'fastify';
import type { Operation } from '../openapi/operation.ts';
import type { Assertions } from './assertion.ts';

export interface GatewayRoutes {
  /** Without it nothing is signed, and there are no keys to publish. */
  readonly assertions: Assertions | undefined;
}

/** How long a verifier may keep the keys; what the README says of changing them goes by it. */
const JWKS_MAX_AGE_SECONDS = 300;

const jwk = { type: 'string' } as const;
const jwkSet = {
  type: 'object',
  properties: {
    keys: {
      type: 'array',
      items: {
        type: 'object',
        properties: { kty: jwk, crv: jwk, x: jwk, kid: jwk, use: jwk, alg: jwk },
        required: ['kty', 'crv', 'x', 'kid', 'use', 'alg'],
      },
    },
  },
  required: ['keys'],
  examples: [
    {
      keys: [
        {
          kty: 'OKP',
          crv: 'Ed25519',
          x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
          kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
          use: 'sig',
          alg: 'EdDSA',
        },
      ],
    },
  ],
} as const;

const publishKeys: Operation = {
  id: 'publishKeys',
  group: 'gateway',
  summary: 'The public keys of assertions and receipts (RFC 7517)',
  answers: { 200: { description: 'The one that signs first' } },
};

/** What gateways, and the apps behind them, ask for. */
export function registerGateway(app: FastifyInstance, { assertions }: GatewayRoutes): void {
  if (assertions !== undefined) {
    const jwks = JSON.stringify(assertions.jwks());
    // RFC 7517 §8.5.1 registers application/jwk-set+json, but some verifiers ask for, or take, application/json only,
    // which is what large identity providers send; so every verifier has to take that.
    app.get(
      '/.well-known/jwks.json',
      { schema: { response: { 200: jwkSet } }, config: { operation: publishKeys } },
      async (_request, reply) =>
        reply
          .type('application/json; charset=utf-8')
          .header('cache-control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
          .send(jwks),
    );
  }
}
