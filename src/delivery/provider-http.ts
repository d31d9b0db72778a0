import type { EventEmitter } from 'node:events';
import { parseUrl } from '../parse-url.ts';
import { abortable } from './abortable.ts';
import { createGate } from './gate.ts';
import { connectionFree, createHttpAgent, maxConnections, type Reach } from './http-agent.ts';
import { networkError } from './network-error.ts';

/** One request to a provider's REST API. */
export interface ProviderRequest {
  /** With its leading slash. */
  readonly path: string;
  readonly username: string;
  readonly password: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ProviderAnswer {
  readonly status: number;
  /** The parsed JSON, or null when it was none. */
  readonly body: object | null;
}

export interface ProviderHttp {
  /**
   * @throws DeliveryError when there was no whole answer in time, and `busy` when every connection is in use; any answer
   *   at all is for the caller to judge
   */
  post(request: ProviderRequest, signal: AbortSignal): Promise<ProviderAnswer>;
  close(): Promise<void>;
}

/**
 * HTTP to one provider with Basic credentials (RFC 7617), over connections that are kept.
 *
 * @param origin `https://host[:port]`
 */
export function createProviderHttp(origin: string, reach?: Reach): ProviderHttp {
  const agent = createHttpAgent(origin, reach);
  const gate = createGate(maxConnections);

  async function exchange(request: ProviderRequest, signal: EventEmitter): Promise<ProviderAnswer> {
    const { path, username, password, headers, body } = request;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const response = await agent.request({
      origin,
      path,
      method: 'POST',
      headers: { ...headers, authorization },
      body,
      signal,
    });
    const text = await response.body.text();
    await connectionFree();
    return { status: response.statusCode, body: parseObject(text) };
  }

  return {
    post: (request, signal) =>
      gate(() => abortable((abort) => exchange(request, abort), signal)).catch((error) => {
        throw networkError(error, signal);
      }),
    close: () => agent.close(),
  };
}

/**
 * The origin that every request to a provider goes to. The host comes from the settings, where a URL is an easy mistake.
 *
 * @param name of the sender, for the error
 * @param host a host name, with or without a port
 * @throws Error when it is anything else
 */
export function providerOrigin(name: string, host: string): string {
  const url = parseUrl(`https://${host}`);
  if (url?.href !== `${url?.origin}/` || /[/\\?#@\s]/.test(host)) {
    throw new Error(`${name}: host must be a host name, with or without a port`);
  }
  return url.origin;
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
