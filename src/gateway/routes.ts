import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { wantsHtml } from '../http/negotiate.ts';
import { answerJson } from '../http/problem.ts';
import type { Operation } from '../openapi/operation.ts';
import type { CurrentSession } from '../session/current.ts';
import { sessionEnd } from '../session/session.ts';
import type { Assertions } from './assertion.ts';
import { createAssertionCache } from './assertion-cache.ts';
import type { AudienceOf } from './audience.ts';
import type { LoginLink } from './login-link.ts';
import { encodeRemoteUser } from './remote-user.ts';

export interface GatewayRoutes {
  /** Without it nothing is signed, and there are no keys to publish. */
  readonly assertions: Assertions | undefined;
  /** The app that an assertion is for; without it, or when it is unknown, the default audience of `assertions`. */
  readonly audienceOf: AudienceOf | undefined;
  readonly currentSession: CurrentSession;
  readonly clock: Clock;
  readonly loginLink: LoginLink;
  readonly idleTtlSeconds: number | undefined;
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

const nobody = { 'remote-user': '', 'remote-amr': '', 'x-doorcode-assertion': '' };

const signedIn = {
  type: 'object',
  properties: { status: { type: 'string', const: 'authenticated' } },
  required: ['status'],
  examples: [{ status: 'authenticated' }],
} as const;

const WHO_IS =
  'In `Remote-User` (percent-encoded UTF-8), `Remote-Amr` and `X-Doorcode-Assertion`, which are empty for nobody: ' +
  'a gateway copies them over what the client sent.';

const auth: Operation = {
  id: 'auth',
  group: 'gateway',
  summary: 'Who is there, for gateways that take 200 or 401 (nginx, HAProxy)',
  description: `${WHO_IS} With 401, \`X-Doorcode-Login\` tells browsers where to log in.`,
  answers: { 200: { description: 'Signed in', headers: ['Set-Cookie'] } },
  errors: ['not_authenticated'],
  jsonOnly: true,
  credentials: { anyOf: ['session'] },
};

const authRedirect: Operation = {
  id: 'authRedirect',
  group: 'gateway',
  summary: 'Who is there, for gateways that pass our answer on (Traefik, Caddy)',
  description: WHO_IS,
  answers: {
    200: { description: 'Signed in', headers: ['Set-Cookie'] },
    303: { description: 'A browser is sent to the login page', headers: ['Location'] },
  },
  errors: ['not_authenticated'],
  jsonOnly: true,
  credentials: { anyOf: ['session'] },
};

/** What gateways, and the apps behind them, ask for. */
export function registerGateway(app: FastifyInstance, routes: GatewayRoutes): void {
  const { assertions, audienceOf, currentSession, clock, loginLink, idleTtlSeconds } = routes;
  const assertSession = assertions === undefined ? async () => '' : createAssertionCache(assertions, clock);

  // Every header that tells an app who is there is in every answer: a gateway copies what there is over what came.
  const whoIs = async (request: FastifyRequest, reply: FastifyReply) => {
    const session = await currentSession(request, reply);
    if (session === null) return null;
    reply.headers({
      'remote-user': encodeRemoteUser(session.sub),
      'remote-amr': session.amr.join(' '),
      'x-doorcode-assertion': await assertSession(session, sessionEnd(session, idleTtlSeconds), audienceOf?.(request)),
    });
    return session;
  };
  const answerFailure: typeof answerJson = (error, request, reply) => answerJson(error, request, reply.headers(nobody));

  const options = (operation: Operation) => ({
    schema: { response: { 200: signedIn } },
    config: { operation },
    errorHandler: answerFailure,
  });

  // Such a gateway takes 200 or 401 and nothing else. Where its user is to go then, it may read in a header, because
  // few can encode a URL for the query of another.
  app.get('/auth', options(auth), async (request, reply) => {
    const session = await whoIs(request, reply);
    if (session !== null) return { status: 'authenticated' };
    if (wantsHtml(request)) reply.header('x-doorcode-login', loginLink(request));
    throw new DoorcodeError('not_authenticated');
  });

  app.get('/auth/redirect', options(authRedirect), async (request, reply) => {
    const session = await whoIs(request, reply);
    if (session !== null) return { status: 'authenticated' };
    if (wantsHtml(request)) return reply.headers(nobody).redirect(loginLink(request), 303);
    throw new DoorcodeError('not_authenticated');
  });

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
