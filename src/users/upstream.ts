import { type Dispatcher, request } from 'undici';
import { closedWhileIdle } from '../closed-while-idle.ts';
import { DoorcodeError } from '../errors.ts';
import { createDispatcher, proxyFailure } from '../outgoing-http.ts';
import { noProxies, type ProxySettings } from '../proxy-config.ts';
import { type Trace, traceHeaders } from '../trace.ts';
import type { Directory, User } from './directory.ts';
import { isFields, toUser, userFaults } from './user-fields.ts';

/** Far more than a user needs, and far less than hurts. */
const answerLimitBytes = 64 * 1024;
/** A slow upstream must not have a flood of logins open a socket each; what waits for one is under the timeout too. */
const maxConnections = 64;
/**
 * Control characters, unpaired surrogates and code points that are not assigned, which no username may contain
 * (RFC 8264 §8). What a directory makes of them cannot be known: it may cut the name there, or drop or replace them,
 * and then count as the name of a user whose wrong passwords are counted elsewhere.
 */
const IMPOSSIBLE = /[\p{Cc}\p{Cs}\p{Cn}]/u;
const refusals: ReadonlySet<number> = new Set([401, 403, 404]);

export interface UpstreamDirectoryOptions {
  /** Gets `POST { username, password }`; http or https. */
  readonly url: string;
  /** Sent as `Authorization: Bearer TOKEN`. */
  readonly token?: string;
  /** For the whole exchange, from connecting to the answer's last byte. */
  readonly timeoutMs?: number;
  /** Direct connections when absent. */
  readonly proxies?: ProxySettings;
  /** Connections to use instead of own ones; stays open on `close`. */
  readonly dispatcher?: Dispatcher;
}

/**
 * Users from another service, over kept-alive connections. 200 with `{ username, phone, locale? }` is the user (other
 * properties are ignored), 401, 403 and 404 say no. Anything else, a redirect and a timeout included, throws
 * `directory_unavailable`, whose cause tells why in our words alone: an error of the HTTP client may hold the request.
 */
export function createUpstreamDirectory(options: UpstreamDirectoryOptions): Directory & { close(): Promise<void> } {
  const { token, timeoutMs = 5000, proxies = noProxies } = options;
  const url = new URL(options.url);
  const limits = { connections: maxConnections, connect: { timeout: timeoutMs } };
  const { dispatcher = createDispatcher(url.origin, proxies, limits) } = options;
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };

  /**
   * Repeats a request that met an idle connection just when the upstream closed it, so that no login fails for that. A
   * lookup changes nothing for the user; at worst the upstream counts a wrong password twice. The repetition ends,
   * because each failure removes an idle connection and a new one is not repeated.
   */
  async function exchange(options: RequestOptions & { readonly signal: AbortSignal }): ReturnType<typeof request> {
    try {
      return await Promise.race([request(url, options), rejectOn(options.signal)]);
    } catch (error) {
      if (closedWhileIdle(error)) return exchange(options);
      throw error;
    }
  }

  async function ask(username: string, password: string, trace: Trace | undefined): Promise<User | null> {
    const signal = AbortSignal.timeout(timeoutMs);
    const { statusCode, body } = await exchange({
      dispatcher,
      method: 'POST',
      headers: { ...headers, ...traceHeaders(trace) },
      body: JSON.stringify({ username, password }),
      signal,
    });
    if (statusCode === 200) return readUser(await readLimited(body));
    // An answer that is not read to its end would take its connection with it. What goes wrong here changes nothing.
    await body.dump({ limit: answerLimitBytes }).catch(() => {});
    if (refusals.has(statusCode)) return null;
    throw new UnusableAnswer(`the answer has status ${statusCode}`);
  }

  return {
    async authenticate(username, password, trace) {
      // Nobody has no name or no password, but to LDAP an empty password is an anonymous bind, which succeeds
      // (RFC 4513 §5.1.2): an upstream that hands the pair on would say yes.
      if (username === '' || password === '') return null;
      if (IMPOSSIBLE.test(username)) return null;
      try {
        return await ask(username, password, trace);
      } catch (error) {
        const cause = new Error(`User directory: ${reasonOf(error, timeoutMs)}`);
        throw new DoorcodeError('directory_unavailable', { retryAfterSeconds: 5, cause });
      }
    },
    async close() {
      if (options.dispatcher === undefined) await dispatcher.close();
    },
  };
}

type RequestOptions = NonNullable<Parameters<typeof request>[1]>;

/** undici ignores the signal of a request while the connection is being opened, for example by a proxy that hangs. */
function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** An answer that arrived, but is none of those agreed on. */
class UnusableAnswer extends Error {}

async function readLimited(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop by an error destroys the body, and so the connection.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerLimitBytes) throw new UnusableAnswer(`the answer is longer than ${answerLimitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readUser(text: string): User {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new UnusableAnswer('the answer is not JSON');
  }
  if (!isFields(answer)) throw new UnusableAnswer('the answer is not a JSON object');
  const faults = userFaults(answer);
  if (faults.length > 0) throw new UnusableAnswer(`in the answer, ${faults.join('; ')}`);
  return toUser(answer);
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof UnusableAnswer) return error.message;
  const atProxy = proxyFailure(error);
  if (atProxy !== undefined) return `the proxy passed nothing on (${atProxy})`;
  const { name, code } = error as NodeJS.ErrnoException;
  return name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : `request failed (${code ?? name})`;
}
