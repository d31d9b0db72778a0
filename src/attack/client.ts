import { checkServerIdentity } from 'node:tls';
import { Agent } from 'undici';
import { NotTried } from './attack.ts';
import type { CookieJar } from './jar.ts';

/** What came back. */
export interface Answer {
  /** 0 when the connection was cut instead. */
  readonly status: number;
  /** The `code` of an error of doorcode, else empty. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly text: string;
  /** The body, where it is a JSON object. */
  readonly json: Readonly<Record<string, unknown>>;
  /** From the first byte out to the last one in. */
  readonly ms: number;
}

export interface Request {
  /** JSON, unless it is a string, which is sent as it is. */
  readonly body?: unknown;
  /** Goes along, and takes the cookies of the answer. */
  readonly jar?: CookieJar | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks one deployment, and nobody else: redirects are not followed. */
export interface Client {
  get(path: string, request?: Request): Promise<Answer>;
  post(path: string, body?: unknown, request?: Request): Promise<Answer>;
  /** How many requests were made. */
  readonly requests: number;
  /** Everything that was answered: status line aside, headers and body as text. */
  readonly told: readonly string[];
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly url: string;
  readonly maxRequests: number;
  /** PEM, of an authority that is trusted beside those of Node. */
  readonly ca?: string | undefined;
  /** How long the run may still take, milliseconds; without, nothing ends it. */
  readonly timeLeftMs?: () => number;
  /** How long a whole answer may take, for tests. */
  readonly answerMs?: number;
  /** For tests: what answers are timed with, milliseconds from any start. */
  readonly now?: (() => number) | undefined;
}

/** What the deployment answers when it can do nothing for anybody. It says nothing of how it would withstand. */
const CANNOT_SAY = ['overloaded', 'limits_unavailable', 'directory_unavailable', 'delivery_failed'];
const MAX_ANSWER_BYTES = 512 * 1024;
const ANSWER_MS = 15_000;

/** A client that ends the run when it has asked often enough, or its time is over. */
export function createClient(options: ClientOptions): Client {
  const { url, maxRequests, ca, timeLeftMs = () => Number.POSITIVE_INFINITY, answerMs = ANSWER_MS } = options;
  const now = options.now ?? (() => performance.now());
  const { origin, hostname } = new URL(url);
  const certified = hostname.replace(/^\[(.*)\]$/, '$1');
  const told: string[] = [];
  let requests = 0;
  const agent = new Agent({
    connections: 16,
    pipelining: 1,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: {
      timeout: 5000,
      // A Host header of our own making is asked for in TLS as well; the certificate has to be the deployment's.
      checkServerIdentity: (_made, certificate) => checkServerIdentity(certified, certificate),
      ...(ca === undefined ? {} : { ca }),
    },
  });

  async function ask(method: 'GET' | 'POST', path: string, { body, jar, headers = {} }: Request): Promise<Answer> {
    if (requests >= maxRequests) throw new NotTried(`${maxRequests} requests were made, which is all this run makes`);
    const leftMs = timeLeftMs();
    if (leftMs <= 0) throw new NotTried('this run is over (--minutes)');
    requests += 1;
    // Of the whole exchange: an answer may come byte by byte.
    const timeout = AbortSignal.timeout(Math.ceil(Math.min(answerMs, leftMs)));
    const json = body !== undefined && typeof body !== 'string';
    const startedAt = now();
    const response = await agent
      .request({
        origin,
        path,
        method,
        signal: timeout,
        headers: {
          accept: 'application/json',
          ...(json ? { 'content-type': 'application/json' } : {}),
          ...(jar === undefined || jar.header === '' ? {} : { cookie: jar.header }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : body }),
      })
      .then(async ({ statusCode, headers, body }) => ({ statusCode, headers, text: await body.text() }))
      .catch((error: NodeJS.ErrnoException) => {
        if (timeout.aborted) {
          if (leftMs < answerMs) throw new NotTried('this run ends before there is an answer (--minutes)');
          return { statusCode: 0, headers: {}, text: `no whole answer within ${answerMs / 1000} s` };
        }
        if (error.code === 'ECONNREFUSED' || error.code === 'ENOTFOUND' || error.code === 'UND_ERR_CONNECT_TIMEOUT')
          throw new NotTried(`${origin} cannot be reached (${error.code})`);
        // Tells of a TLS certificate that is not trusted, too, whose codes are many.
        return { statusCode: 0, headers: {}, text: error.code ?? error.message };
      });
    const ms = now() - startedAt;
    const { 'set-cookie': setCookie = [], ...rest } = response.headers as Record<string, string | string[]>;
    const cookies = [setCookie].flat();
    jar?.store(cookies);
    told.push(JSON.stringify(response.headers), response.text);
    const parsed = parseObject(response.text);
    const code = typeof parsed['code'] === 'string' ? parsed['code'] : '';
    if (response.statusCode === 503 && CANNOT_SAY.includes(code)) throw new NotTried(`${path}: 503 ${code}`);
    return {
      status: response.statusCode,
      code,
      headers: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, [value].flat().join(', ')])),
      cookies,
      text: response.text,
      json: parsed,
      ms,
    };
  }

  return {
    get: (path, request = {}) => ask('GET', path, request),
    post: (path, body, request = {}) => ask('POST', path, { ...request, ...(body === undefined ? {} : { body }) }),
    get requests() {
      return requests;
    },
    told,
    close: () => agent.destroy(),
  };
}

/** An answer in a few words: `429 too_many_requests`. */
export function inWords({ status, code }: Answer): string {
  return status === 0 ? 'connection cut' : code === '' ? String(status) : `${status} ${code}`;
}

/** Several of them, counted: `1 × 200, 7 × 429 too_many_requests`. */
export function counted(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(inWords(answer), (counts.get(inWords(answer)) ?? 0) + 1);
  return [...counts].map(([words, count]) => `${count} × ${words}`).join(', ');
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
