import { type AddressInfo, Server as NetServer } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream, Logger } from 'pino';
import { buildApp } from './app.ts';
import { ANSWER_PATH, type ReceiptSender, receiptPath } from './callbacks/routes.ts';
import { systemClock } from './clock.ts';
import { type Config, examineConfig } from './config.ts';
import { configWarnings } from './config-warnings.ts';
import { createDelivery } from './delivery/failover.ts';
import { maskPhone } from './delivery/mask-phone.ts';
import { type Compose, createComposer } from './delivery/message.ts';
import { createNumberRules } from './delivery/number-rules.ts';
import type { Message, Sender } from './delivery/sender.ts';
import { ConfigError, type Environment } from './environment.ts';
import type { Assertions } from './gateway/assertion.ts';
import { createLogger } from './http/logging.ts';
import type { Lifecycle, ReadinessCheck } from './http/readiness.ts';
import type { Limits } from './limits/limits.ts';
import { createMemoryLimits } from './limits/memory.ts';
import { guessBudget } from './limits/risk.ts';
import { listenFault } from './listen-fault.ts';
import type { Log } from './log.ts';
import { locales } from './pages/locales/locales.ts';
import { publicSuffixFault } from './public-suffix.ts';
import { createRandomBytes } from './random.ts';
import { deriveKeys, type SealKeys } from './seal/keys.ts';
import type { SenderName } from './sender-config.ts';
import { deliveryReadiness, leftOut, watchSenders } from './sender-readiness.ts';
import { startNotice, urlOf } from './start-notice.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { MetricsServer } from './telemetry/metrics-server.ts';
import { tracedDirectory } from './telemetry/traced-directory.ts';
import type { Tracing } from './telemetry/tracing.ts';
import { createDemoDirectory, DEMO_USER } from './users/demo.ts';
import type { Directory } from './users/directory.ts';
import type { PasswordChecker } from './users/password.ts';

export interface ServeOptions {
  readonly env: Environment;
  /** Writes one line for a person to read: the start-up notice, and codes from the console sender. */
  readonly write: (line: string) => void;
  /** Where log lines go; standard output when absent. */
  readonly logDestination?: DestinationStream;
  /** The number of lines that the process could not write to its output, for metrics. */
  readonly droppedLines?: () => number;
  /** Of the program, for metrics. */
  readonly version?: string;
  /** How long a command of Redis may take, for tests on a machine that stalls; see {@link createRedisLimits}. */
  readonly redisTimeoutMs?: number;
}

/** A service that listens. */
export interface Service {
  readonly url: string;
  /** Where metrics are told, if anywhere. */
  readonly metricsUrl?: string;
  readonly logger: Logger;
  /**
   * Stops without losing a request: readiness turns 503 and every answer closes its connection, new connections are
   * still taken for `drainMs` so that a gateway can notice, then requests in flight are waited for.
   *
   * @param deadlineMs when what still goes on is cut, counted from the call: connections are closed, deliveries aborted,
   *   and what cannot be ended at once is left behind
   */
  close(drainMs: number, deadlineMs: number): Promise<void>;
}

/**
 * How many connections may wait to be taken, if the kernel agrees (net.core.somaxconn). One that finds no place is not
 * refused but forgotten, and its client tries again for many seconds.
 */
const BACKLOG = 4096;

/** How long what was cut may take to notice, so that the log tells of it and counts are given back. */
const CUT_MS = 300;

/** How long the request of a connection may be on its way that was taken at the last moment. */
const ARRIVAL_MS = 100;

/**
 * Takes no more connections, and hears out those that were just taken. `http.Server.close` would reset them, as idle,
 * before their first request arrives, and a gateway does not ask again elsewhere what it has sent and may have counted.
 */
async function stopListening(server: NetServer, arrivalMs: number): Promise<void> {
  // Right after a round of accepting, when the kernel holds none back.
  await setImmediate();
  NetServer.prototype.close.call(server);
  await setTimeout(arrivalMs);
}

/**
 * Configuration, adapters, app, listen.
 *
 * @throws ConfigError for every fault of the configuration at once, and when it cannot listen on HOST and PORT
 */
export async function serve({
  env,
  write,
  logDestination,
  droppedLines = () => 0,
  version = '',
  redisTimeoutMs,
}: ServeOptions): Promise<Service> {
  const { config, faults } = examineConfig(env);
  const logger = createLogger({
    level: config.logLevel,
    ...(logDestination === undefined ? {} : { destination: logDestination }),
  });
  const lifecycle: Lifecycle = { draining: false };
  const suffixFault = await publicSuffixFault(config);
  const [{ directory: users, hashing }, compose] = await withoutFaults(
    suffixFault === undefined ? faults : [...faults, suffixFault],
    openDirectory(config, logger),
    openComposer(config, logger),
  );
  const metrics = await openMetrics(config);
  const tracing = await openTracing(config, version, logger);
  const directory = tracing === undefined ? users : tracedDirectory(users, tracing.startSpan);
  for (const warning of configWarnings(config, systemClock())) logger.warn(warning);
  const keys = deriveKeys(config.masterKeys);
  const random = createRandomBytes();
  const senders = await Promise.all(config.delivery.map((name) => openSender(name, config, keys, write)));
  const readiness = watchSenders(senders, logger);
  const numbers = createNumberRules(config.allowedCountries);
  const delivery = createDelivery({
    senders,
    clock: systemClock,
    log: logger,
    numbers,
    startSpan: tracing?.startSpan,
    ...(metrics === undefined ? {} : { events: metrics.events }),
  });
  const store = await openLimits(config, logger, { observe: metrics?.observeStore, timeoutMs: redisTimeoutMs });
  const assertions = await openAssertions(config);
  const app = await buildApp(config, {
    clock: systemClock,
    random,
    logger,
    keys,
    directory,
    limits: store.limits,
    delivery,
    compose,
    mask: maskPhone,
    isPossible: numbers.isPossible,
    countedNumber: numbers.countedNumber,
    receiptKeys: receiptKeys(config),
    assertions,
    lifecycle,
    readiness: { ...store.readiness, delivery: deliveryReadiness(numbers.load, readiness.check) },
    warnings: () => [...store.warnings(), ...readiness.warnings(), ...leftOut(delivery.states())],
    events: metrics?.events,
    observeRequest: metrics?.observeRequest,
    registerTracing: tracing?.registerTracing,
  });
  metrics?.watch({
    version,
    guessBudget: guessBudget(config.limits, config.otpDigits),
    breakers: delivery.states,
    hashing,
    degraded: store.degraded,
    droppedLines,
  });

  const { host, port } = config;
  await app.listen({ host, port, backlog: BACKLOG, listenTextResolver: () => 'listening' }).catch((error) => {
    throw listenFault(error, config);
  });
  // After the start, and before the first message.
  void setImmediate()
    .then(numbers.load)
    .catch((err: unknown) => logger.error({ err }, 'number tables cannot be loaded'));
  const metricsServer = metrics === undefined ? undefined : await listenForMetrics(metrics, config, app);
  logger.info({ event: 'sys_startup', version }, 'sys_startup');
  const metricsUrl = metricsServer === undefined ? undefined : `${urlOf(config.host, metricsServer.port)}/metrics`;
  write(startNotice(config, listeningUrl(app, config), DEMO_USER, metricsUrl).join('\n'));

  return {
    url: listeningUrl(app, config),
    ...(metricsUrl === undefined ? {} : { metricsUrl }),
    logger,
    async close(drainMs, deadlineMs) {
      lifecycle.draining = true;
      logger.info({ event: 'sys_shutdown', drainMs }, 'sys_shutdown');
      const drain = async () => {
        await setTimeout(drainMs);
        await stopListening(app.server, Math.min(drainMs, ARRIVAL_MS));
        await app.close();
        await Promise.all([delivery.close(), directory.close?.(), store.limits.close()]);
      };
      const left = new AbortController();
      const deadline = setTimeout(deadlineMs, 'deadline', { signal: left.signal });
      const drained = drain();
      try {
        if ((await Promise.race([drained, deadline])) !== 'deadline') return;
        logger.warn({ deadlineMs }, 'cut what was still open');
        // Aborts what is being sent, so that the counts are given back.
        void delivery.close();
        app.server.closeAllConnections();
        await Promise.race([drained, setTimeout(CUT_MS, undefined, { signal: left.signal })]);
      } finally {
        left.abort();
        await Promise.all([metricsServer?.close(), tracing?.close()]);
      }
    },
  };
}

/**
 * What could be opened, if nothing at all is wrong.
 *
 * @param faults of the settings themselves
 * @throws ConfigError for those faults and for the ones that turned up in opening, together
 */
async function withoutFaults(
  faults: readonly string[],
  directory: Promise<OpenDirectory>,
  composer: Promise<Compose>,
): Promise<[OpenDirectory, Compose]> {
  const opened = await Promise.allSettled([directory, composer]);
  const more = opened.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const unexpected = more.find((reason) => !(reason instanceof ConfigError));
  if (unexpected !== undefined) throw unexpected;
  const all = [...faults, ...(more as ConfigError[]).flatMap((error) => error.faults)];
  if (all.length > 0) {
    if (opened[0].status === 'fulfilled') await opened[0].value.directory.close?.();
    throw new ConfigError(all);
  }
  return Promise.all([directory, composer]);
}

// Adapters are loaded when they are configured: an HTTP client alone costs a fifth of the start.

/** The users, and how busy the checks of their passwords are where they are ours. */
interface OpenDirectory {
  readonly directory: Directory;
  readonly hashing?: PasswordChecker['depth'];
}

async function openDirectory({ users, proxies }: Config, log: Logger): Promise<OpenDirectory> {
  switch (users.kind) {
    case 'demo':
      return { directory: createDemoDirectory() };
    case 'upstream': {
      const { createUpstreamDirectory } = await import('./users/upstream.ts');
      const token = users.token === undefined ? {} : { token: users.token };
      return { directory: createUpstreamDirectory({ url: users.url, proxies, ...token }) };
    }
    case 'file': {
      const [{ createFileDirectory }, { createPasswordChecker }] = await Promise.all([
        import('./users/file.ts'),
        import('./users/password.ts'),
      ]);
      const { path } = users;
      const passwords = createPasswordChecker();
      const directory = await createFileDirectory({ path, clock: systemClock, log, passwords }).catch((error) => {
        throw new ConfigError([`USERS_FILE: ${(error as Error).message}`]);
      });
      return { directory, hashing: passwords.depth };
    }
  }
}

async function openSender(
  name: SenderName,
  config: Config,
  keys: SealKeys,
  write: (line: string) => void,
): Promise<Sender> {
  const { signalwire, twilio, plivo, webhook } = config.senders;
  const { proxies } = config;
  const account = name === 'signalwire' ? signalwire : name === 'twilio' ? twilio : undefined;
  if ((name === 'signalwire' || name === 'twilio') && account !== undefined) {
    const { createCompatibilitySender } = await import('./delivery/compatibility.ts');
    const receiptUrl = receiptKeys(config)[name] === undefined ? {} : { receiptUrl: config.origin + receiptPath(name) };
    return createCompatibilitySender({ name, ...account, from: account.number, proxies, ...receiptUrl });
  }
  if (name === 'plivo' && plivo !== undefined) {
    const { createPlivoSender } = await import('./delivery/plivo.ts');
    const { host, account: authId, token: authToken, number: from } = plivo;
    return createPlivoSender({ host, authId, authToken, from, proxies, answerUrl: await answerUrls(config, keys) });
  }
  if (name === 'webhook' && webhook !== undefined) {
    const { createWebhookSender } = await import('./delivery/webhook.ts');
    return createWebhookSender({ ...webhook, proxies, clock: systemClock });
  }
  if (name !== 'console') throw new ConfigError([`DELIVERY: ${name} is not configured`]);
  const { createConsoleSender } = await import('./delivery/console.ts');
  return createConsoleSender({ write, clock: systemClock });
}

/** What the providers that are asked for receipts sign them with. */
function receiptKeys({ senders, deliveryReceipts }: Config): Partial<Record<ReceiptSender, string>> {
  const { signalwire, twilio } = senders;
  if (!deliveryReceipts) return {};
  return {
    ...(signalwire?.signingKey === undefined ? {} : { signalwire: signalwire.signingKey }),
    ...(twilio === undefined ? {} : { twilio: twilio.token }),
  };
}

/** Makes the URLs at which a provider gets the words of a call, sealed, because any replica may be asked. */
async function answerUrls({ origin }: Config, keys: SealKeys): Promise<(message: Message) => string> {
  const [{ default: Fastify }, { createCodec }, { sealCall }] = await Promise.all([
    import('fastify'),
    import('./seal/codec.ts'),
    import('./callbacks/call-token.ts'),
  ]);
  // The app's own codec comes later than its senders. This one lives in an app that serves nothing.
  const codec = await createCodec(Fastify(), keys);
  const random = createRandomBytes();
  return (message) => `${origin}${ANSWER_PATH}?token=${sealCall(codec, message, random)}`;
}

/** The limit store, and what is to be told of its state. */
interface LimitStore {
  readonly limits: Limits;
  readonly readiness: Readonly<Record<string, ReadinessCheck>>;
  readonly warnings: () => readonly string[];
  /** Whether this replica counts for itself although others are there. */
  readonly degraded: () => boolean;
}

/** How long the start waits for the store; after that the service starts without it and says that it is not ready. */
const STORE_WAIT_MS = 2000;

async function openLimits(
  { redisUrl, masterKeys, limitsOnOutage }: Config,
  log: Logger,
  options: { readonly observe: Metrics['observeStore'] | undefined; readonly timeoutMs: number | undefined },
): Promise<LimitStore> {
  const memory = createMemoryLimits({ clock: systemClock });
  const never = () => false;
  if (redisUrl === undefined) return { limits: memory, readiness: {}, warnings: () => [], degraded: never };

  const { createRedisLimits } = await import('./limits/redis.ts');
  const redis = createRedisLimits({ url: redisUrl, masterKeys, clock: systemClock, log, ...options });
  await redis.connected(STORE_WAIT_MS);
  const eviction = () => [redis.evictionWarning()].filter((warning) => warning !== null);
  if (limitsOnOutage === 'deny') {
    return { limits: redis, readiness: { limits: () => redis.check() }, warnings: eviction, degraded: never };
  }

  const { createFallbackLimits } = await import('./limits/fallback.ts');
  const fallback = createFallbackLimits({ shared: redis, local: memory, clock: systemClock, log });
  const degraded = () => (fallback.isDegraded() ? ['limits are degraded: each replica counts for itself'] : []);
  return {
    limits: fallback,
    // Asked so that the warning is of this moment; the service can do its work either way.
    readiness: {
      limits: async () => {
        await Promise.all([fallback.add('probe', 'probe', 1), redis.check()]);
        return null;
      },
    },
    warnings: () => [...degraded(), ...eviction()],
    degraded: fallback.isDegraded,
  };
}

async function openMetrics({ metricsPort }: Config): Promise<Metrics | undefined> {
  if (metricsPort === undefined) return undefined;
  const { createMetrics } = await import('./telemetry/metrics.ts');
  return createMetrics();
}

async function openTracing({ tracing, proxies }: Config, version: string, log: Log): Promise<Tracing | undefined> {
  if (tracing === undefined) return undefined;
  const { startTracing } = await import('./telemetry/tracing.ts');
  return startTracing({ settings: tracing, proxies, version, log });
}

/** @throws ConfigError that names HOST or METRICS_PORT; the service, which has received no request yet, is closed then */
async function listenForMetrics(metrics: Metrics, config: Config, app: FastifyInstance): Promise<MetricsServer> {
  const { host, metricsPort: port = 0 } = config;
  const { startMetricsServer } = await import('./telemetry/metrics-server.ts');
  return startMetricsServer({ host, port, ...metrics, reportReadiness: app.reportReadiness }).catch(async (error) => {
    await app.close();
    throw listenFault(error, { host, port }, 'METRICS_PORT');
  });
}

async function openAssertions(config: Config): Promise<Assertions | undefined> {
  const { assertionKeys: keys, origin: issuer, assertionAudience: audience = [issuer] } = config;
  if (keys.length === 0) return undefined;
  const { createAssertions } = await import('./gateway/assertion.ts');
  return createAssertions({ keys, issuer, audience, clock: systemClock });
}

async function openComposer({ appName, origin, otpDigits }: Config, log: Log): Promise<Compose> {
  try {
    return createComposer({ texts: locales, appName, host: new URL(origin).hostname, digits: otpDigits, log });
  } catch (error) {
    throw new ConfigError([`APP_NAME, ORIGIN: ${(error as Error).message}`]);
  }
}

// The port that was really taken: PORT=0 asks for any.
function listeningUrl(app: FastifyInstance, { host }: Config): string {
  return urlOf(host, (app.server.address() as AddressInfo).port);
}
