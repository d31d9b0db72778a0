import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { type ProxySettings, proxyFor } from './proxy-config.ts';

export interface OutgoingOptions extends Omit<Agent.Options, 'connect'> {
  readonly connect: {
    /** Milliseconds: for the connection to the destination, and for each step of the way through a proxy. */
    readonly timeout: number;
    /** PEM, in place of the authorities that Node trusts. */
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  };
}

/**
 * Connections to one destination: direct, or through the proxy that the settings name for it. A proxy opens a tunnel
 * (`CONNECT`, RFC 9110 §9.3.6), except from an `http:` proxy to an `http:` destination, which gets the request itself (in
 * absolute-form, RFC 9112 §3.2.2), because proxies usually permit tunnels to TLS ports only.
 */
export function createDispatcher(destination: string, proxies: ProxySettings, options: OutgoingOptions): Dispatcher {
  const proxy = proxyFor(proxies, new URL(destination));
  if (proxy === undefined) return new Agent(options);

  const { connect, ...limits } = options;
  const connectToProxy = proxyConnector(connect.timeout);
  const username = decodeURIComponent(proxy.username);
  const password = decodeURIComponent(proxy.password);
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  return new ProxyAgent({
    ...limits,
    uri: proxy.origin,
    ...(username === '' && password === '' ? {} : { token: `Basic ${credentials}` }),
    // undici takes these in place of `connect`.
    requestTls: connect,
    proxyTunnel: false,
    clientFactory: (origin) => new Pool(origin, { connect: connectToProxy, headersTimeout: connect.timeout }),
    factory: (origin, given: Pool.Options) =>
      isSameOrigin(origin, proxy)
        ? new Pool(origin, { ...limits, connect: connectToProxy })
        : new Pool(origin, { ...limits, ...given }),
  });
}

function isSameOrigin(origin: URL | string, proxy: URL): boolean {
  return new URL(origin).origin === proxy.origin;
}

/** A connection to the proxy itself could not be opened. */
class ProxyUnreachable extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`no connection to the proxy (${code})`);
    this.code = code;
  }
}

function proxyConnector(timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error === null) callback(null, socket);
      else callback(new ProxyUnreachable((error as NodeJS.ErrnoException).code ?? error.name), null);
    });
}

/**
 * Whether a request failed at the proxy, so that the destination got nothing of it.
 *
 * @returns why, for the log: the code of an error (`ECONNREFUSED`), or the status that the proxy answered (`http_407`);
 *   undefined for every other failure
 */
export function proxyFailure(error: unknown): string | undefined {
  if (error instanceof ProxyUnreachable) return error.code;
  if (!(error instanceof Error)) return undefined;
  // undici has no codes of its own for these two (lib/dispatcher/proxy-agent.js).
  const [, status] = /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(error.message) ?? [];
  return status === undefined ? undefined : `http_${status}`;
}
