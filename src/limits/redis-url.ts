import { isIPv6 } from 'node:net';

/** Where Redis (or Valkey) is, and how to speak to it. */
export interface RedisTarget {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** The name by which the sentinels know the primary. */
  readonly sentinelName: string | undefined;
  /** Credentials of the sentinels, where they are not those of the Redis nodes. */
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
}

const FORM =
  /^(?<scheme>rediss?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<username>[^:@]*)(?::(?<password>[^@]*))?@)?(?<nodes>[^/?#@]*)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?(?<fragment>#.*)?$/i;
const NODE = /^(?:\[(?<v6>[\da-fA-F:.]+)\]|(?<name>[^:[\]\s]*))(?::(?<port>.*))?$/;

const PORTS = { single: 6379, cluster: 6379, sentinel: 26_379 };

/**
 * Reads the address of the limit store, with `rediss` for TLS in all three forms:
 *
 * - `redis://user:password@host:6379/0`
 * - `redis+sentinel://user:password@host1:26379,host2:26379/NAME/0`, NAME being the sentinels' word for the primary
 * - `redis+cluster://user:password@host1:6379,host2:6379`
 *
 * In a user or password `@`, `/` and `%` must be percent-encoded, and in a user `:` as well. Sentinels are sent the user and
 * password of the nodes if they require some, unless `?sentinel_username=…&sentinel_password=…` gives them their own.
 *
 * @throws Error that describes the fault and contains no part of the address
 */
export function parseRedisUrl(text: string): RedisTarget {
  if (!/^rediss?(?:\+(?:sentinel|cluster))?:\/\//i.test(text)) {
    throw new Error('must start with redis://, rediss://, redis+sentinel:// or redis+cluster://');
  }
  checkReserved(text);
  const parts = FORM.exec(text)?.groups;
  if (parts === undefined) throw new Error('has a host that cannot be read');
  if (parts['fragment'] !== undefined) throw new Error('contains "#" after the host; remove it and what follows');
  const kind = (parts['kind']?.toLowerCase() ?? 'single') as RedisTarget['kind'];
  const nodes = (parts['nodes'] ?? '').split(',').map((node) => readNode(node, PORTS[kind]));
  if (kind === 'single' && nodes.length > 1)
    throw new Error('names several hosts; use redis+sentinel or redis+cluster');

  const path = (parts['path'] ?? '').split('/').filter((part) => part !== '');
  const sentinelName = kind === 'sentinel' ? path.shift() : undefined;
  if (kind === 'sentinel' && sentinelName === undefined) throw new Error('must name the primary: …/NAME');
  const [db = '0', ...rest] = path;
  if (!/^\d{1,4}$/.test(db) || rest.length > 0) {
    throw new Error('must end in a database number from 0 to 9999, and nothing after it');
  }
  if (kind === 'cluster' && db !== '0') throw new Error('names a database; a cluster has only one');

  return {
    kind,
    nodes,
    tls: parts['scheme']?.toLowerCase() === 'rediss',
    username: decode(parts['username']),
    password: decode(parts['password']),
    db: Number(db),
    sentinelName,
    ...readSentinelCredentials(kind, parts['query']),
  };
}

function readNode(text: string, defaultPort: number): RedisTarget['nodes'][number] {
  const { v6, name, port } = NODE.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  if (port?.includes(':')) throw new Error('has an IPv6 address that is not in brackets, such as [2001:db8::1]');
  if (host === undefined || (v6 !== undefined && !isIPv6(v6))) throw new Error('has a host that cannot be read');
  if (host === '') throw new Error('names no host, or an empty one');
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    throw new Error('has a port that is not a number from 1 to 65535');
  }
  return { host, port: Number(port ?? defaultPort) };
}

/** @throws Error that names the character in a user or password which hides where the host starts */
function checkReserved(text: string): void {
  const [, userInfo, ...more] = text.replace('://', '@').split('@');
  if (more.length > 1) throw new Error('contains "@" more than once; in a user or password it must be written as %40');
  if (more.length === 1 && userInfo?.includes('/')) {
    throw new Error('contains "/" before "@": in a user or password "/" must be written as %2F and "@" as %40');
  }
}

function readSentinelCredentials(
  kind: RedisTarget['kind'],
  query = '',
): Pick<RedisTarget, 'sentinelUsername' | 'sentinelPassword'> {
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split(/=(.*)/s));
  const known = kind === 'sentinel' ? ['sentinel_username', 'sentinel_password'] : [];
  if (!pairs.every(([name = '', value]) => known.includes(name) && value !== undefined)) {
    throw new Error('has an unknown parameter after "?"; in a password "?" must be written as %3F');
  }
  const values = new Map(pairs.map(([name, value]) => [name, decode(value)]));
  const [sentinelUsername, sentinelPassword] = ['sentinel_username', 'sentinel_password'].map((name) =>
    values.get(name),
  );
  if (sentinelUsername !== undefined && sentinelPassword === undefined) {
    throw new Error('has sentinel_username without sentinel_password');
  }
  return { sentinelUsername, sentinelPassword };
}

function decode(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Error('has a user or password that contains "%", which must be written as %25');
  }
}
