import type { FastifyInstance } from 'fastify';
import type { Assertions } from './assertion.ts';

export interface GatewayRoutes {
  /** Without it nothing is signed, and there are no keys to publish. */
  readonly assertions: Assertions | undefined;
}

/** How long a verifier may keep the keys; what the README says of changing them goes by it. */
const JWKS_MAX_AGE_SECONDS = 300;

/** What gateways, and the apps behind them, ask for. */
export function registerGateway(app: FastifyInstance, { assertions }: GatewayRoutes): void {
  if (assertions !== undefined) {
    const jwks = JSON.stringify(assertions.jwks());
    // RFC 7517 §8.5.1 registers application/jwk-set+json, but some verifiers ask for, or take, application/json only,
    // which is what large identity providers send; so every verifier has to take that.
    app.get('/.well-known/jwks.json', async (_request, reply) =>
      reply
        .type('application/json; charset=utf-8')
        .header('cache-control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
        .send(jwks),
    );
  }
}
