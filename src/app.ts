import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import type { Logger } from 'pino';
import { type CallbackRoutes, registerCallbacks } from './callbacks/routes.ts';
import { parseChallenge } from './challenge/challenge.ts';
import type { RandomBytes } from './challenge/totp.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { type Events, fanOut } from './events.ts';
import type { Assertions } from './gateway/assertion.ts';
import { createAudience } from './gateway/audience.ts';
import { createLoginLink } from './gateway/login-link.ts';
import { createLossReport } from './gateway/return-loss.ts';
import { createReturnTo } from './gateway/return-to.ts';
import { registerGateway } from './gateway/routes.ts';
import { createClientErrorHandler } from './http/client-error.ts';
import { registerCrossSiteRule } from './http/cross-site.ts';
import { registerFormBody } from './http/form-body.ts';
import { registerForwardedWarning } from './http/forwarded-warning.ts';
import { registerHealth } from './http/health.ts';
import { registerJsonBody } from './http/json-body.ts';
import { type ObserveRequest, registerRequestLog } from './http/logging.ts';
import { registerOverload } from './http/overload.ts';
import { registerProblems } from './http/problem.ts';
import { createReadiness, type Lifecycle, type ReadinessCheck, type ReportReadiness } from './http/readiness.ts';
import { sendThroughHooks } from './http/router-error.ts';
import { registerSecurityHeaders } from './http/security-headers.ts';
import { createTrust, isOwnRequest } from './http/trusted-peers.ts';
import type { Limits } from './limits/limits.ts';
import { createPolicy } from './limits/policy.ts';
import { gatherRoutes } from './openapi/gather.ts';
import { registerOpenApi } from './openapi/routes.ts';
import { imageSources } from './pages/brand.ts';
import { createLanguages } from './pages/language.ts';
import { registerPages } from './pages/render.ts';
import { createSignInPages } from './pages/sign-in-pages.ts';
import { registerCookies } from './seal/cookies.ts';
import type { SealKeys } from './seal/keys.ts';
import { createCurrentSession, createEndOtherSessions, createValidSessions } from './session/current.ts';
import { createRevocation } from './session/revocation.ts';
import { registerSession } from './session/routes.ts';
import type { Later } from './sign-in/once.ts';
import type { SignInPorts } from './sign-in/ports.ts';
import { registerSignIn } from './sign-in/routes.ts';
import { createClockWatch } from './telemetry/clock-watch.ts';
import { createEventLog } from './telemetry/event-log.ts';
import { createSubjectHash } from './telemetry/subject.ts';
import type { Directory } from './users/directory.ts';
import { createApiKeys } from './verifications/api-keys.ts';
import { signReceipt } from './verifications/receipt.ts';
import { registerVerifications } from './verifications/routes.ts';
import { createTestNumbers } from './verifications/test-numbers.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The readiness of the service, for the server of the metrics port as well. */
    reportReadiness: ReportReadiness;
  }
}

/** Everything outside the app that it talks to. */
export interface AppPorts {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly keys: SealKeys;
  readonly directory: Directory;
  readonly limits: Limits;
  readonly delivery: SignInPorts['delivery'];
  readonly compose: SignInPorts['compose'];
  readonly mask: (phone: string) => string;
  /** Whether a number has the right length for its country; every number of E.164's form when absent. */
  readonly isPossible?: (e164Number: string) => Promise<boolean>;
  /** The number that a number is counted as, both E.164; each number as itself when absent. */
  readonly countedNumber?: (e164Number: string) => Promise<string>;
  /** What each provider signs its delivery receipts with; none are taken without. */
  readonly receiptKeys?: CallbackRoutes['receiptKeys'];
  /** Signs what apps are told of a person; nothing is signed without. */
  readonly assertions?: Assertions | undefined;
  readonly lifecycle: Lifecycle;
  readonly readiness: Readonly<Record<string, ReadinessCheck>>;
  /** What works but should not stay as it is. */
  readonly warnings?: () => readonly string[];
  /** Is told of everything that happens, beside the log. */
  readonly events?: Events | undefined;
  readonly observeRequest?: ObserveRequest | undefined;
  /** Makes requests and their work steps of a trace; nothing is traced without. */
  readonly registerTracing?: ((app: FastifyInstance) => Promise<void>) | undefined;
  /** Runs a function after a delay in milliseconds; a timer when absent. */
  readonly later?: Later;
  /** Compiles the JSON schemas of the routes; Fastify's own compilers when absent. Tests share compiled schemas. */
  readonly schemaController?: FastifyServerOptions['schemaController'];
}

/** For the longest login, with a password of 1,024 characters in percent-encoding; other routes have smaller limits. */
const BODY_LIMIT_BYTES = 16 * 1024;
/**
 * How long a client may take to send its request, headers and body together. Node checks only every half minute by
 * default. Its limit for the headers alone must not be longer than this one: Node swaps the two then, and a slow body
 * gets the longer limit, 60 s by default (`ConnectionsList::Expired` in Node's src/node_http_parser.cc).
 */
const REQUEST_TIMEOUT_MS = 10_000;
const REQUEST_CHECK_MS = 1000;
/** How long a connection may be silent: longer than the slowest answer, a delivery over several senders. */
const CONNECTION_TIMEOUT_MS = 30_000;

/** Builds the service: plugins and routes, with nothing of the process, the environment or the network in it. */
export async function buildApp(config: Config, ports: AppPorts): Promise<FastifyInstance> {
  const { clock, limits, logger } = ports;
  const clockWatch = createClockWatch({ clock, log: logger });
  const hashSubject = createSubjectHash(config.masterKeys[0] ?? Buffer.alloc(0));
  const eventLog = createEventLog({ logger, hashSubject, mask: ports.mask });
  const events = fanOut([eventLog, clockWatch.events, ...(ports.events === undefined ? [] : [ports.events])]);
  const newRequestId = requestIds(ports.random);
  const isTrustedPeer = createTrust(config.trustProxy);

  const app = Fastify({
    loggerInstance: logger,
    genReqId: newRequestId,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: config.trustProxy.length === 0 ? false : isTrustedPeer,
    bodyLimit: BODY_LIMIT_BYTES,
    http: { connectionsCheckingInterval: REQUEST_CHECK_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 100 },
    clientErrorHandler: createClientErrorHandler({ events, observe: ports.observeRequest, log: logger, newRequestId }),
    frameworkErrors: sendThroughHooks,
    // Our schemas are the same at each start: that they are schemas, the tests of the OpenAPI document hold. To compile what
    // would look at them takes a tenth of the start.
    ajv: { customOptions: { validateSchema: false, coerceTypes: false, removeAdditional: false, allErrors: false } },
    ...(ports.schemaController === undefined ? {} : { schemaController: ports.schemaController }),
  }) as unknown as FastifyInstance;
  app.decorate('events', events);

  const routes = gatherRoutes(app);
  await ports.registerTracing?.(app);
  registerRequestLog(app, ports.observeRequest);
  registerForwardedWarning(app, isTrustedPeer);
  registerJsonBody(app);
  registerFormBody(app);
  registerSecurityHeaders(app, securityHeaders(config));
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    done(null, payload);
  });
  if (config.allowedOrigins.length > 0) {
    const { default: cors } = await import('@fastify/cors');
    await app.register(cors, {
      origin: [...config.allowedOrigins],
      credentials: true,
      methods: ['GET', 'POST'],
      strictPreflight: false,
    });
  }
  if (config.maxEventLoopDelayMs !== undefined) await registerOverload(app, config.maxEventLoopDelayMs);
  registerCrossSiteRule(app, () => ownOrigins(config, app), config.allowedOrigins);

  const cookies = await registerCookies(app, {
    keys: ports.keys,
    secure: config.origin.startsWith('https:'),
    ...(config.cookieDomain === undefined ? {} : { domain: config.cookieDomain }),
  });
  const languages = createLanguages(app, config.origin.startsWith('https:'));
  const pages = await registerPages(app, { ...config, channels: ports.delivery.channels, languages });
  registerProblems(app, (_request, reply, problem) => pages.error(reply, problem));

  const countedNumber = ports.countedNumber ?? (async (phone: string) => phone);
  const policy = createPolicy(
    limits,
    { ...config.limits, challengeTtlSeconds: challengeTtl(config) },
    clock,
    countedNumber,
  );
  const revocation = createRevocation(limits, clock);
  const validity = { revocation, clock, idleTtlSeconds: config.sessionIdleTtlSeconds };
  const currentSession = createCurrentSession(cookies, validity);
  const validSessions = createValidSessions(cookies, validity);
  const reportLoss = createLossReport(logger);
  const returnTo = createReturnTo(config.allowedReturnOrigins, reportLoss);
  const { assertions, directory, delivery, compose, random, mask } = ports;

  registerSignIn(app, {
    ports: { directory, policy, delivery, compose, clock, random, events, settings: config },
    cookies,
    pages: createSignInPages({
      ...{ cookies, pages, currentSession, returnTo, mask, policy, clock, random },
      settings: { ...config, resendCooldownSeconds: config.limits.resendCooldownSeconds },
    }),
    languages,
    returnTo,
    mask,
    endOtherSessions: createEndOtherSessions(cookies, validity),
    later: ports.later,
  });
  registerSession(app, {
    events,
    cookies,
    currentSession,
    validSessions,
    revocation,
    pages,
    languages,
    closeChallenges: async (request) => {
      const challenges = cookies
        .openAnyName(request, 'challenge')
        .map(({ payload }) => parseChallenge(payload, clock(), config.loginTtlSeconds));
      await Promise.all(challenges.map((challenge) => (challenge === null ? null : policy.close(challenge))));
    },
  });
  registerVerifications(app, {
    ports: {
      policy,
      delivery,
      compose,
      clock,
      random,
      events,
      settings: config,
      testNumbers: createTestNumbers(config.api.testNumbers, config.api.testNumbersUntilMs),
      isPossible: ports.isPossible ?? (async () => true),
      countedNumber,
    },
    codec: cookies.codec,
    apiKeys: createApiKeys(config.api.keys),
    mask,
    ...(assertions === undefined
      ? {}
      : {
          receipt: (verification, nowMs) => signReceipt(assertions, verification, nowMs),
        }),
  });
  registerCallbacks(app, {
    events,
    codec: cookies.codec,
    clock,
    origin: config.origin,
    compose,
    claimCall: policy.claimCall,
    plivo: config.delivery.includes('plivo'),
    receiptKeys: ports.receiptKeys ?? {},
  });
  registerGateway(app, {
    assertions,
    audienceOf: config.assertionAudience === undefined ? createAudience(config) : undefined,
    currentSession,
    clock,
    loginLink: createLoginLink(config, returnTo, reportLoss),
    idleTtlSeconds: config.sessionIdleTtlSeconds,
  });
  app.decorate(
    'reportReadiness',
    createReadiness({
      lifecycle: ports.lifecycle,
      checks: ports.readiness,
      warnings: () => [...(ports.warnings?.() ?? []), ...clockWatch.warnings()],
      clock,
      log: logger,
    }),
  );
  registerHealth(app, {
    lifecycle: ports.lifecycle,
    report: app.reportReadiness,
    seesDetails: (request) => isOwnRequest(request, isTrustedPeer),
  });
  registerOpenApi(app, {
    routes,
    about: () => ({ origin: ownOrigin(config, app), cookieNames: cookies.names }),
    pages,
  });
  return app;
}

/** The longest that a challenge can come back from a client: a code resent at the last moment of its login. */
function challengeTtl({ loginTtlSeconds, otpTtlSeconds }: Config): number {
  return loginTtlSeconds + otpTtlSeconds + 10;
}

/** Ids that are not those of another replica, or of the run before: a few random characters, and a count. */
function requestIds(random: RandomBytes): () => string {
  const run = Buffer.from(random(6)).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${run}-${count}`;
  };
}

function securityHeaders(config: Config) {
  const self = "'self'";
  const none = "'none'";
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': [none],
        'style-src': [self],
        'img-src': imageSources(config),
        // Browsers apply this to the redirect that follows a form, too.
        'form-action': [self, ...config.allowedReturnOrigins],
        'frame-ancestors': [none],
        'base-uri': [none],
      },
    },
    // A sign-in may not decide for its neighbours below the same name that they have https.
    strictTransportSecurity: config.origin.startsWith('https:')
      ? { maxAge: 31_536_000, includeSubDomains: false }
      : false,
    frameguard: { action: 'deny' as const },
    // With `no-referrer` browsers would send `Origin: null` with our own forms.
    referrerPolicy: { policy: 'same-origin' as const },
  };
}

// PORT=0 asks for any port: which one it became is known once we listen.
function ownOrigin({ origin }: Config, app: FastifyInstance): string {
  const url = new URL(origin);
  const address = app.server.address();
  if (url.port === '0' && address !== null && typeof address === 'object') url.port = String(address.port);
  return url.origin;
}

// In development people type `localhost` as readily as the address that start-up prints.
function ownOrigins(config: Config, app: FastifyInstance): string[] {
  const { protocol, hostname, port } = new URL(ownOrigin(config, app));
  const loopback = ['127.0.0.1', 'localhost', '[::1]'];
  if (!loopback.includes(hostname)) return [config.origin];
  return loopback.map((host) => `${protocol}//${host}${port === '' ? '' : `:${port}`}`);
}
