import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream, Logger } from 'pino';
import { buildApp } from './app.ts';
import { ANSWER_PATH, type ReceiptSender, receiptPath } from './callbacks/routes.ts';
import { systemClock } from './clock.ts';
import { type Config, readConfig } from './config.ts';
import { createDelivery } from './delivery/failover.ts';
import { maskPhone } from './delivery/mask-phone.ts';
import { createComposer } from './delivery/message.ts';
import { createNumberRules } from './delivery/number-rules.ts';
import type { Message, Sender } from './delivery/sender.ts';
import { ConfigError, type Environment } from './environment.ts';
import type { Lifecycle, ReadinessCheck } from './http/health.ts';
import { createLogger } from './http/logging.ts';
import type { Limits } from './limits/limits.ts';
import { createMemoryLimits } from './limits/memory.ts';
import { guessBudget, percent } from './limits/risk.ts';
import { locales } from './pages/locales/locales.ts';
import { deriveKeys, type SealKeys } from './seal/keys.ts';
import type { SenderName } from './sender-config.ts';
import { createDemoDirectory, DEMO_USER } from './users/demo.ts';
import type { Directory } from './users/directory.ts';

export interface ServeOptions {
  readonly env: Environment;
  /** Writes one line for a person to read: the start-up notice, and codes from the console sender. */
  readonly write: (line: string) => void;
  /** Where log lines go; standard output when absent. */
  readonly logDestination?: DestinationStream;
}

/** A service that listens. */
export interface Service {
  readonly url: string;
  readonly logger: Logger;
  /**
   * Stops without losing a request: readiness turns 503 and every answer closes its connection, new connections are
   * still taken for `drainMs` so that a gateway can notice, then requests in flight are waited for.
   *
   * @param deadlineMs when connections that are still open are cut, counted from the call
   */
  close(drainMs: number, deadlineMs: number): Promise<void>;
}

/**
 * Configuration, adapters, app, listen.
 *
 * @throws ConfigError for every fault of the configuration at once
 */
export async function serve({ env, write, logDestination }: ServeOptions): Promise<Service> {
  const config = readConfig(env);
  const logger = createLogger({
    level: config.logLevel,
    ...(logDestination === undefined ? {} : { destination: logDestination }),
  });
  const lifecycle: Lifecycle = { draining: false };
  const directory = await openDirectory(config, logger);
  const keys = deriveKeys(config.masterKeys);
  const senders = await Promise.all(config.delivery.map((name) => openSender(name, config, keys, write)));
  const numbers = createNumberRules(config.allowedCountries);
  const delivery = createDelivery({ senders, clock: systemClock, log: logger, numbers });
  const store = await openLimits(config, logger);
  const app = await buildApp(config, {
    clock: systemClock,
    random: randomBytes,
    logger,
    keys,
    directory,
    limits: store.limits,
    delivery,
    compose: openComposer(config),
    mask: maskPhone,
    receiptKeys: receiptKeys(config),
    lifecycle,
    readiness: { ...store.readiness, delivery: senderReadiness(senders) },
    warnings: store.warnings,
  });

  await app.listen({ host: config.host, port: config.port, listenTextResolver: () => 'listening' });
  write(notice(config, listeningUrl(app, config)).join('\n'));

  return {
    url: listeningUrl(app, config),
    logger,
    async close(drainMs, deadlineMs) {
      lifecycle.draining = true;
      logger.info({ drainMs }, 'shutting down');
      const deadline = setTimeout(() => app.server.closeAllConnections(), deadlineMs);
      await new Promise((resolve) => setTimeout(resolve, drainMs));
      await app.close();
      clearTimeout(deadline);
      await Promise.all([delivery.close(), directory.close?.(), store.limits.close()]);
    },
  };
}

// Adapters are loaded when they are configured: an HTTP client alone costs a fifth of the start.

async function openDirectory({ users }: Config, log: Logger): Promise<Directory> {
  switch (users.kind) {
    case 'demo':
      return createDemoDirectory();
    case 'upstream': {
      const { createUpstreamDirectory } = await import('./users/upstream.ts');
      return createUpstreamDirectory({ url: users.url, ...(users.token === undefined ? {} : { token: users.token }) });
    }
    case 'file': {
      const [{ createFileDirectory }, { createPasswordChecker }] = await Promise.all([
        import('./users/file.ts'),
        import('./users/password.ts'),
      ]);
      const { path } = users;
      return createFileDirectory({ path, clock: systemClock, log, passwords: createPasswordChecker() }).catch(
        (error) => {
          throw new ConfigError([`USERS_FILE: ${(error as Error).message}`]);
        },
      );
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
  const account = name === 'signalwire' ? signalwire : name === 'twilio' ? twilio : undefined;
  if ((name === 'signalwire' || name === 'twilio') && account !== undefined) {
    const { createCompatibilitySender } = await import('./delivery/compatibility.ts');
    const receiptUrl = receiptKeys(config)[name] === undefined ? {} : { receiptUrl: config.origin + receiptPath(name) };
    return createCompatibilitySender({ name, ...account, from: account.number, ...receiptUrl });
  }
  if (name === 'plivo' && plivo !== undefined) {
    const { createPlivoSender } = await import('./delivery/plivo.ts');
    const { host, account: authId, token: authToken, number: from } = plivo;
    return createPlivoSender({ host, authId, authToken, from, answerUrl: await answerUrls(config, keys) });
  }
  if (name === 'webhook' && webhook !== undefined) {
    const { createWebhookSender } = await import('./delivery/webhook.ts');
    return createWebhookSender({ ...webhook, clock: systemClock });
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
  return (message) => `${origin}${ANSWER_PATH}?token=${sealCall(codec, message, randomBytes)}`;
}

/** Some senders load a large library in the background, and a message that had to wait for it could be late. */
function senderReadiness(senders: readonly Sender[]): ReadinessCheck {
  const loading = new Map(
    senders.flatMap((sender) => (sender.ready === undefined ? [] : [[sender.name, 'is loading']])),
  );
  for (const { name, ready } of senders) {
    ready?.().then(
      () => loading.delete(name),
      () => loading.set(name, 'cannot be loaded'),
    );
  }
  return () => (loading.size === 0 ? null : [...loading].map(([name, state]) => `${name} ${state}`).join(', '));
}

/** The limit store, and what is to be told of its state. */
interface LimitStore {
  readonly limits: Limits;
  readonly readiness: Readonly<Record<string, ReadinessCheck>>;
  readonly warnings: () => readonly string[];
}

/** How long the start waits for the store; after that the service starts without it and says that it is not ready. */
const STORE_WAIT_MS = 2000;

async function openLimits({ redisUrl, limitsOnOutage }: Config, log: Logger): Promise<LimitStore> {
  const memory = createMemoryLimits({ clock: systemClock });
  if (redisUrl === undefined) return { limits: memory, readiness: {}, warnings: () => [] };

  const { createRedisLimits } = await import('./limits/redis.ts');
  const redis = createRedisLimits({ url: redisUrl, clock: systemClock, log });
  await redis.connected(STORE_WAIT_MS);
  const eviction = () => [redis.evictionWarning()].filter((warning) => warning !== null);
  if (limitsOnOutage === 'deny')
    return { limits: redis, readiness: { limits: () => redis.check() }, warnings: eviction };

  const { createFallbackLimits } = await import('./limits/fallback.ts');
  const fallback = createFallbackLimits(redis, memory, log);
  const degraded = () => (fallback.isDegraded() ? ['limits are degraded: each replica counts for itself'] : []);
  return {
    limits: fallback,
    // Asked so that the warning is of this moment; the service can do its work either way.
    readiness: {
      limits: async () => {
        await Promise.all([fallback.read('probe', 'probe'), redis.check()]);
        return null;
      },
    },
    warnings: () => [...degraded(), ...eviction()],
  };
}

function openComposer({ appName, origin, otpDigits }: Config) {
  try {
    return createComposer({ texts: locales, appName, host: new URL(origin).hostname, digits: otpDigits });
  } catch (error) {
    throw new ConfigError([`APP_NAME, ORIGIN: ${(error as Error).message}`]);
  }
}

// The port that was really taken: PORT=0 asks for any.
function listeningUrl(app: FastifyInstance, { host }: Config): string {
  const { port } = app.server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What a person who starts the service needs to know. */
function notice(config: Config, url: string): string[] {
  const lines = [`doorcode listens on ${url}`];
  if (config.users.kind === 'demo') {
    lines.push(`the one user is ${DEMO_USER.username} with the password demo, phone ${DEMO_USER.phone}`);
  }
  lines.push(
    config.delivery.includes('console')
      ? 'codes appear here, on the console'
      : `codes are sent by ${config.delivery.join(', then ')}`,
  );
  if (!config.keysGiven) lines.push('keys were made for this run: a restart signs everybody out');
  lines.push(
    config.redisUrl === undefined
      ? 'limits are counted in this process: run one replica; a restart forgets the counts'
      : `limits are shared in Redis; while it is away, ${config.limitsOnOutage === 'deny' ? 'sign-ins are refused' : 'each replica counts for itself'}`,
  );
  const { guessesPerDay, perDay, perYear } = guessBudget(config.limits, config.otpDigits);
  lines.push(
    `guess budget: who has a password gets ${guessesPerDay} guesses a day at its code, ` +
      `a chance of ${percent(perDay)} a day and ${percent(perYear)} a year`,
  );
  return lines;
}
