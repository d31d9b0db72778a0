import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { answerJson } from '../http/problem.ts';
import type { Operation } from '../openapi/operation.ts';
import type { CurrentSession } from '../session/current.ts';
import { sessionEnd } from '../session/session.ts';
import type { Assertions } from './assertion.ts';
import { createAssertionCache } from './assertion-cache.ts';
import type { AudienceOf } from './audience.ts';
import { type LoginLink, originalMethod } from './login-link.ts';
import { isNavigation } from './navigation.ts';
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

/** What apps are sent about a user who is not signed in: empty headers, over whatever the client sent. */
const anonymous = { 'remote-user': '', 'remote-amr': '', 'x-doorcode-assertion': '' };

/** Every method that Node.js can read, GET first, which stands for all in the description of the API. */
const ANY_METHOD = ['GET', ...METHODS.filter((method) => method !== 'GET' && method !== 'CONNECT')];

const signedIn = {
  type: 'object',
  properties: { status: { type: 'string', const: 'authenticated' } },
  required: ['status'],
  examples: [{ status: 'authenticated' }],
} as const;

const SUBREQUEST =
  'The user is in `Remote-User` (percent-encoded UTF-8), `Remote-Amr` and `X-Doorcode-Assertion`, which are empty for an ' +
  'anonymous request: a gateway copies them over what the client sent. Any method is accepted, the body is not read, and ' +
  'the path may continue with that of the original request (Envoy).';

const auth: Operation = {
  id: 'auth',
  group: 'gateway',
  summary: 'Authentication check for gateways that take 200 or 401 (nginx, HAProxy, Envoy)',
  description: `${SUBREQUEST} With 401, \`X-Doorcode-Login\` is the login page for a navigation request of a browser.`,
  answers: { 200: { description: 'Signed in', headers: ['Set-Cookie'] } },
  errors: ['not_authenticated'],
  jsonOnly: true,
  credentials: { anyOf: ['session'] },
};

const authRedirect: Operation = {
  id: 'authRedirect',
  group: 'gateway',
  summary: 'Authentication check for gateways that pass our answer on (Traefik, Caddy)',
  description: SUBREQUEST,
  answers: {
    200: { description: 'Signed in', headers: ['Set-Cookie'] },
    303: { description: 'A navigation request of a browser is sent to the login page', headers: ['Location'] },
  },
  errors: ['not_authenticated'],
  jsonOnly: true,
  credentials: { anyOf: ['session'] },
};

/** The routes for gateways, and for the apps behind them. */
export function registerGateway(app: FastifyInstance, routes: GatewayRoutes): void {
  const { assertions, audienceOf, currentSession, clock, loginLink, idleTtlSeconds } = routes;
  const assertSession = assertions === undefined ? async () => '' : createAssertionCache(assertions, clock);

  // Every header that tells an app who is there is in every answer: a gateway copies what there is over what came.
  const authenticate = async (request: FastifyRequest, reply: FastifyReply) => {
    const session = await currentSession(request, reply);
    if (session === null) return null;
    reply.headers({
      'remote-user': encodeRemoteUser(session.sub),
      'remote-amr': session.amr.join(' '),
      'x-doorcode-assertion': await assertSession(session, sessionEnd(session, idleTtlSeconds), audienceOf?.(request)),
    });
    return session;
  };
  const answerFailure: typeof answerJson = (error, request, reply) =>
    answerJson(error, request, reply.headers(anonymous));

  /** @param refuse answers, or throws, when the request has no valid session; the link is given for a navigation of a browser */
  const registerSubrequest = (
    path: string,
    operation: Operation,
    refuse: (reply: FastifyReply, link: string | undefined) => FastifyReply,
  ) => {
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const session = await authenticate(request, reply);
      if (session !== null) return reply.send({ status: 'authenticated' });
      return refuse(reply, isNavigation(request, originalMethod(request)) ? loginLink(request) : undefined);
    };
    for (const url of [path, `${path}/*`]) {
      app.route({
        method: ANY_METHOD,
        url,
        schema: { response: { 200: signedIn } },
        config: { operation, subrequest: true, cors: false },
        errorHandler: answerFailure,
        // In this hook and not in the handler, before which Fastify reads the body and refuses what it cannot parse. The
        // body belongs to the app: it may be large, of any type, or announced but not sent.
        onRequest: answer,
        handler: answer,
      });
    }
  };

  for (const method of ANY_METHOD) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);

  // Such a gateway takes 200 or 401 and nothing else. Where its user is to go then, it may read in a header, because
  // few can encode a URL for the query of another.
  registerSubrequest('/auth', auth, (reply, link) => {
    if (link !== undefined) reply.header('x-doorcode-login', link);
    throw new DoorcodeError('not_authenticated');
  });

  registerSubrequest('/auth/redirect', authRedirect, (reply, link) => {
    if (link !== undefined) return reply.headers(anonymous).redirect(link, 303);
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
