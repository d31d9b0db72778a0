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
}

const FORM =
  /^(?<scheme>rediss?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<username>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<nodes>[^/?#@]+)(?:\/(?<path>[^?#]*))?$/;
const NODE = /^(?:\[(?<v6>[\da-fA-F:.]+)\]|(?<name>[^:[\]]+))(?::(?<port>\d{1,5}))?$/;

const PORTS = { single: 6379, cluster: 6379, sentinel: 26_379 };

/**
 * Reads the address of the limit store, with `rediss` for TLS in all three forms:
 *
 * - `redis://user:password@host:6379/0`
 * - `redis+sentinel://user:password@host1:26379,host2:26379/NAME/0`, NAME being the sentinels' word for the primary
 * - `redis+cluster://user:password@host1:6379,host2:6379`
 *
 * User and password are percent-encoded where they hold `:`, `@` or `/`.
 *
 * @throws Error that says what is wrong, and shows none of the address
 */
export function parseRedisUrl(text: string): RedisTarget {
  const parts = FORM.exec(text)?.groups;
  if (parts === undefined) throw new Error('must be redis://, rediss://, redis+sentinel:// or redis+cluster://');
  const kind = (parts['kind'] ?? 'single') as RedisTarget['kind'];
  const nodes = (parts['nodes'] ?? '').split(',').map((node) => {
    const { v6, name, port } = NODE.exec(node)?.groups ?? {};
    const host = v6 ?? name;
    const number = Number(port ?? PORTS[kind]);
    if (host === undefined || number > 65_535) throw new Error('has a host that cannot be read');
    return { host, port: number };
  });
  if (kind === 'single' && nodes.length > 1)
    throw new Error('names several hosts; use redis+sentinel or redis+cluster');

  const path = (parts['path'] ?? '').split('/').filter((part) => part !== '');
  const sentinelName = kind === 'sentinel' ? path.shift() : undefined;
  if (kind === 'sentinel' && sentinelName === undefined) throw new Error('must name the primary: …/NAME');
  const [db = '0', ...rest] = path;
  if (!/^\d{1,4}$/.test(db) || rest.length > 0) throw new Error('has a database that is no number');
  if (kind === 'cluster' && db !== '0') throw new Error('names a database; a cluster has only one');

  const decode = (value: string | undefined) => (value === undefined || value === '' ? undefined : decodeText(value));
  return {
    kind,
    nodes,
    tls: parts['scheme'] === 'rediss',
    username: decode(parts['username']),
    password: decode(parts['password']),
    db: Number(db),
    sentinelName,
  };
}

function decodeText(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Error('has a user or password with a broken percent-encoding');
  }
}
