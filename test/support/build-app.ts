import { createHash } from 'node:crypto';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { type AppPorts, buildApp } from '../../src/app.ts';
import { generateSecret } from '../../src/challenge/totp.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { maskPhone } from '../../src/delivery/mask-phone.ts';
import { createComposer } from '../../src/delivery/message.ts';
import type { Message, Receipt } from '../../src/delivery/sender.ts';
import { fanOut, noEvents } from '../../src/events.ts';
import { createLogger } from '../../src/http/logging.ts';
import type { Lifecycle } from '../../src/http/readiness.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import { silentLog } from '../../src/log.ts';
import { locales } from '../../src/pages/locales/locales.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import type { User } from '../../src/users/directory.ts';
import { assertDocumented } from './documented.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { countKept, keep, noteNumber, noteSecret, noteSettings } from './kept.ts';
import { schemaController } from './schema-controller.ts';

export const PASSWORD = 'correct horse battery staple';
export const ALICE: User = { username: 'alice', phone: '+15550100101' };
export const BOB: User = { username: 'bob', phone: '+15550100102' };

/** A service in memory with everything at hand that a test wants to look at or turn. */
export interface TestApp {
  readonly app: FastifyInstance;
  readonly clock: FakeClock;
  readonly config: Config;
  /** What was accepted for sending, oldest first. */
  readonly messages: Message[];
  /** Log lines as they were written. */
  readonly logs: string[];
  readonly lifecycle: Lifecycle;
  /** Makes the next deliveries fail, or succeed again with null. */
  failDelivery(error: Error | null): void;
  /** Runs at the moment a message is handed over, e.g. to let time pass until it is accepted. */
  onDeliver(action: (message: Message) => void | Promise<void>): void;
  /** Posts JSON unless `form` is given. */
  post(url: string, body?: object, jar?: CookieJar, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  get(url: string, jar?: CookieJar, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  postForm(url: string, body: Record<string, string>, jar?: CookieJar): Promise<LightMyRequestResponse>;
  /** Logs in and returns the jar and the code that was sent. */
  login(user?: User, jar?: CookieJar): Promise<{ jar: CookieJar; code: string; response: LightMyRequestResponse }>;
}

export interface TestAppOptions {
  readonly env?: Record<string, string>;
  readonly ports?: Partial<AppPorts>;
  readonly clock?: FakeClock;
  readonly users?: readonly User[];
}

/** Deterministic bytes that differ from call to call. */
export function seededRandom(seed = 'seed'): (length: number) => Uint8Array {
  let calls = 0;
  return (length) => {
    const chunks: Buffer[] = [];
    for (let block = 0; block * 32 < length; block += 1) {
      chunks.push(createHash('sha256').update(`${seed}:${calls}:${block}`).digest());
    }
    calls += 1;
    return Buffer.concat(chunks).subarray(0, length);
  };
}

export const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

/** Keeps cookies as a browser does: the newest wins, Max-Age=0 removes. */
export class CookieJar {
  readonly cookies = new Map<string, string>();

  store(response: LightMyRequestResponse): this {
    for (const line of [response.headers['set-cookie'] ?? []].flat()) {
      const [pair = '', ...attributes] = line.split('; ');
      const name = pair.slice(0, pair.indexOf('='));
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(pair.indexOf('=') + 1));
    }
    return this;
  }

  get header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  clone(): CookieJar {
    const copy = new CookieJar();
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    return copy;
  }
}

export async function testApp(options: TestAppOptions = {}): Promise<TestApp> {
  const clock = options.clock ?? fakeClock();
  // Tests send more than people do; those about these limits turn them on.
  const config = readConfig({
    NODE_ENV: 'test',
    RESEND_COOLDOWN: '0',
    LIMIT_SEND_PHONE: 'off',
    LIMIT_SEND_ACCOUNT: 'off',
    MAX_GUESS_RISK: '1',
    // A test may keep the event loop busy.
    MAX_EVENT_LOOP_DELAY: 'off',
    ...options.env,
  });
  noteSettings(options.env ?? {});
  noteSecret(PASSWORD, ...config.masterKeys.flatMap((key) => [key.toString('base64'), key.toString('hex')]));
  const users = options.users ?? [ALICE, BOB];
  for (const { phone } of users) noteNumber(phone);
  const messages: Message[] = [];
  const logs: string[] = [];
  const lifecycle: Lifecycle = { draining: false };
  let failure: Error | null = null;
  let action: (message: Message) => void | Promise<void> = () => {};

  const { random: _, ...withoutRandom } = options.ports ?? {};
  const app = await buildApp(config, {
    clock,
    random: noted(options.ports?.random ?? seededRandom()),
    logger: createLogger({
      level: 'trace',
      destination: {
        write: (line) => {
          logs.push(line);
          keep('log', line);
        },
      },
    }),
    keys: deriveKeys(config.masterKeys),
    directory: {
      async authenticate(username, password) {
        const user = users.find((candidate) => candidate.username === username.toLowerCase());
        return user !== undefined && password === PASSWORD ? user : null;
      },
    },
    limits: createMemoryLimits({ clock }),
    delivery: {
      channels: ['sms', 'voice'],
      async deliver(message): Promise<Receipt> {
        noteSecret(message.code);
        noteNumber(message.to);
        await action(message);
        if (failure !== null) throw failure;
        messages.push(message);
        return { sender: 'test' };
      },
    },
    // The same composer and mask as in the built program (src/serve.ts).
    compose: createComposer({
      texts: locales,
      appName: config.appName,
      host: new URL(config.origin).hostname,
      digits: config.otpDigits,
      log: silentLog,
    }),
    mask: maskPhone,
    lifecycle,
    readiness: {},
    schemaController,
    ...withoutRandom,
    events: fanOut([countKept, options.ports?.events ?? noEvents]),
  });

  // Whoever sees an answer sees whether it is documented.
  const added: RegExp[] = [];
  app.addHook('onRoute', ({ url }) => void added.push(new RegExp(`^${url.replaceAll(/:\w+/g, '[^/?]+')}(?:\\?|$)`)));
  const answer = app.inject.bind(app) as (request: InjectOptions | string) => Promise<LightMyRequestResponse>;
  app.inject = (async (request: InjectOptions | string) => {
    const response = await answer(request);
    if (response.statusCode >= 400) keep('error body', response.body);
    const {
      method = 'GET',
      url,
      payload,
    } = typeof request === 'string' ? { url: request, payload: undefined } : request;
    const { password } = Object(payload) as { password?: unknown };
    if (typeof password === 'string' && password.length >= 10) noteSecret(password);
    if (typeof url === 'string' && !added.some((own) => own.test(url)))
      await assertDocumented(app, method, url, response);
    return response;
  }) as unknown as FastifyInstance['inject'];

  const inject = async (request: InjectOptions, jar?: CookieJar) => {
    const headers = { ...request.headers, ...(jar === undefined || jar.header === '' ? {} : { cookie: jar.header }) };
    const response = await app.inject({ ...request, headers });
    jar?.store(response);
    return response;
  };

  return {
    app,
    clock,
    config,
    messages,
    logs,
    lifecycle,
    failDelivery(error) {
      failure = error;
    },
    onDeliver(next) {
      action = next;
    },
    post: (url, body, jar, headers = {}) =>
      inject({ method: 'POST', url, headers, ...(body === undefined ? {} : { payload: body }) }, jar),
    get: (url, jar, headers = {}) => inject({ method: 'GET', url, headers }, jar),
    postForm: (url, body, jar) =>
      inject(
        {
          method: 'POST',
          url,
          headers: { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded' },
          payload: new URLSearchParams(body).toString(),
        },
        jar,
      ),
    async login(user = ALICE, jar = new CookieJar()) {
      const response = await inject(
        { method: 'POST', url: '/login', payload: { username: user.username, password: PASSWORD } },
        jar,
      );
      return { jar, code: messages.at(-1)?.code ?? '', response };
    },
  };
}

/** Notes what secrets of codes are made of. */
function noted(random: AppPorts['random']): AppPorts['random'] {
  return (length) => {
    const bytes = random(length);
    if (length === 20)
      noteSecret(
        generateSecret(() => bytes),
        Buffer.from(bytes).toString('hex'),
      );
    return bytes;
  };
}

/** A code of the right shape that is not the given one. */
export function wrongCode(code: string): string {
  return String((Number(code) + 1) % 10 ** code.length).padStart(code.length, '0');
}
