import { setImmediate } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { createDispatcher } from '../outgoing-http.ts';
import { noProxies, type ProxySettings } from '../proxy-config.ts';

/** How to reach a provider. */
export interface Reach {
  /** TLS options of its connections, for tests. */
  readonly connect?: ConnectOptions | undefined;
  /** Direct connections when absent. */
  readonly proxies?: ProxySettings | undefined;
}

/** Options of a connection, for tests. */
export interface ConnectOptions {
  /** PEM, in place of the authorities that Node trusts: tests hand in the certificate of their own server. */
  readonly ca?: string;
  /** Milliseconds until a connection must be open. */
  readonly timeout?: number;
}

/** The largest answer that a provider's API or a webhook has reason to give, bytes. */
export const maxResponseBytes = 64 * 1024;

/** How many messages can be on their way to one provider at a time. */
export const maxConnections = 128;

/**
 * Connections to one provider: kept open between messages, because a TLS handshake costs two round trips that the
 * user would wait for. So many at the most that a burst of logins finds room, and that a provider which hangs cannot
 * take every socket of the process.
 *
 * @param origin of the provider
 *
 * The timeouts only bound what nobody waits for any more; each attempt has its own, tighter signal.
 */
export function createHttpAgent(origin: string, { connect = {}, proxies = noProxies }: Reach = {}): Dispatcher {
  return createDispatcher(origin, proxies, {
    connections: maxConnections,
    // One request at a time on each: an SMS must not wait behind one that hangs, nor be lost with it.
    pipelining: 1,
    // Below the 60 s at which the common load balancers hang up, so that a message never meets a closing connection.
    keepAliveTimeout: 30_000,
    headersTimeout: 10_000,
    bodyTimeout: 10_000,
    maxResponseSize: maxResponseBytes,
    connect: { timeout: 5_000, ...connect },
  });
}

/**
 * Resolves when the connection of an answer that has just been read can carry the next request. undici gives it back
 * one turn of the event loop after the last byte; whoever sends again within that turn would open a second one.
 */
export async function connectionFree(): Promise<void> {
  await setImmediate();
}
