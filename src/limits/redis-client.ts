import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { isFromReplica, isReplyError } from './redis-error.ts';
import { parseRedisUrl, type RedisTarget } from './redis-url.ts';
import { createSentinelConnector, type SentinelCredentials } from './sentinel-connector.ts';

/** The parts of ioredis that limits use; a single server, sentinels and a cluster look alike from here. */
export type RedisClient = Redis | Cluster;

/**
 * Opens the connection. Commands are never kept for later and never sent twice: while there is no connection, and when
 * it breaks, they fail at once, because who asks has a user waiting, and an event that is counted late is counted for
 * nobody. The commands of one turn of the event loop go out together. How long an answer may take is the caller's affair.
 *
 * @param handshakeMs how long a new connection may stay without an answer before another one is tried; no command gets
 *   more time than that
 * @throws Error when the URL cannot be read
 */
export function openRedis(url: string, handshakeMs = 2000): RedisClient {
  const target = parseRedisUrl(url);
  const options = {
    db: target.db,
    connectionName: 'doorcode',
    connectTimeout: 1000,
    // For what the client asks by itself when it has connected: without an answer to that it would wait for ever.
    commandTimeout: handshakeMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
    retryStrategy: (attempt: number) => Math.min(attempt * 50, 500),
    reconnectOnError: isFromReplica,
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(target.tls ? { tls: {} } : {}),
  } satisfies RedisOptions;
  if (target.kind === 'cluster') {
    const clusterOptions = {
      redisOptions: options,
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      slotsRefreshTimeout: 1000,
      // A cluster client repeats what was under way on a connection that broke, whatever it is told about resending,
      // unless these delays are zero (ioredis 6, Cluster.handleError). What is left is not carried out twice: MOVED, ASK
      // and TRYAGAIN are refusals.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      clusterRetryStrategy: (attempt: number) => Math.min(attempt * 50, 500),
      // Certificates are made for names, so names must reach the TLS layer unresolved.
      ...(target.tls
        ? { dnsLookup: (address: string, done: (error: null, address: string) => void) => done(null, address) }
        : {}),
    } satisfies ClusterOptions;
    return new Cluster([...target.nodes], clusterOptions);
  }
  if (target.kind === 'sentinel') {
    const redis = new Redis({
      ...options,
      sentinels: [...target.nodes],
      name: target.sentinelName ?? '',
      enableTLSForSentinelMode: target.tls,
      ...(target.tls ? { sentinelTLS: {} } : {}),
      sentinelCommandTimeout: handshakeMs,
      sentinelRetryStrategy: (attempt: number) => Math.min(attempt * 50, 500),
      Connector: createSentinelConnector(sentinelCredentials(target)),
    });
    return withSelectedDatabase(redis);
  }
  const [node] = target.nodes;
  return withSelectedDatabase(new Redis({ ...options, ...node }));
}

/** Gives up a connection whose SELECT failed, on which ioredis would otherwise use database 0. */
function withSelectedDatabase(redis: Redis): Redis {
  return redis.on('error', (error: Error & { command?: { name: string } }) => {
    if (isReplyError(error) && error.command?.name === 'select') redis.disconnect(true);
  });
}

/**
 * What sentinels are sent, in this order: nothing, then the credentials of the nodes, then their password alone, because a
 * sentinel may have the same password without the same users.
 */
function sentinelCredentials(target: RedisTarget): SentinelCredentials[] {
  const { username, password, sentinelUsername, sentinelPassword } = target;
  if (sentinelPassword !== undefined) return [{ username: sentinelUsername, password: sentinelPassword }];
  if (password === undefined) return [{}];
  return [{}, { username, password }, ...(username === undefined ? [] : [{ password }])];
}
