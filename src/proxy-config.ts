import { BlockList, isIP } from 'node:net';
import type { EnvironmentReader } from './environment.ts';
import { parseUrl } from './parse-url.ts';

/** The HTTP proxies for outgoing requests, as the variables that most programs share name them. */
export interface ProxySettings {
  /** For `https:` destinations. May contain credentials, so it is secret. */
  readonly https: URL | undefined;
  /** For `http:` destinations. May contain credentials, so it is secret. */
  readonly http: URL | undefined;
  /** Which destinations are exempt: the value of NO_PROXY. */
  readonly noProxy: string;
}

export const noProxies: ProxySettings = { https: undefined, http: undefined, noProxy: '' };

/**
 * Reads HTTPS_PROXY, HTTP_PROXY, ALL_PROXY (for both, where the other one is not set) and NO_PROXY. As in curl, the name
 * in lower case takes precedence, the scheme `http://` of a proxy may be omitted, and destinations on this machine are
 * not exempt by themselves.
 */
export function readProxies(env: EnvironmentReader): ProxySettings {
  const https = readProxy(env, 'HTTPS_PROXY');
  const http = readProxy(env, 'HTTP_PROXY');
  const all = https === undefined || http === undefined ? readProxy(env, 'ALL_PROXY') : undefined;
  const { value = '' } = env.shared('NO_PROXY');
  return { https: https ?? all, http: http ?? all, noProxy: value };
}

/** @returns the proxy for requests to this destination; undefined: they go there directly */
export function proxyFor({ https, http, noProxy }: ProxySettings, destination: URL): URL | undefined {
  const proxy = destination.protocol === 'https:' ? https : http;
  return proxy === undefined || parseExemptions(noProxy).isExempt(destination) ? undefined : proxy;
}

/** @returns the positions, from 1, of entries of NO_PROXY that cannot be understood and have no effect */
export function ignoredExemptions({ noProxy }: ProxySettings): readonly number[] {
  return parseExemptions(noProxy).ignored;
}

/** The variable by which an operator knows the proxy for destinations of this scheme. */
export function proxyVariable(destination: URL): string {
  return destination.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
}

function readProxy(env: EnvironmentReader, variable: string): URL | undefined {
  const { name, value } = env.shared(variable, 'secret');
  if (value === undefined) return undefined;
  const text = value.includes('://') ? value : `http://${value}`;
  const url = parseUrl(text);
  if (url !== undefined && isProxyUrl(url)) return url;
  // The value is not repeated, because it may contain a password.
  env.fault(name, 'must be the URL of an HTTP proxy such as http://proxy.example.com:3128 (SOCKS is not supported)');
  return undefined;
}

function isProxyUrl({ protocol, hostname, port, pathname, search, hash, username, password }: URL): boolean {
  if (!/^https?:$/.test(protocol) || hostname === '' || port === '0') return false;
  return pathname === '/' && search === '' && hash === '' && isDecodable(username) && isDecodable(password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** A host of NO_PROXY. It exempts its subdomains, too, as in curl. */
interface ExemptHost {
  readonly name: string;
  /** The only port that is exempt; undefined: all of them. */
  readonly port: string | undefined;
}

/** Entries are separated by commas or blanks: `*`, host names, addresses, networks (192.0.2.0/24), each but `*` and networks with or without a port. */
function parseExemptions(text: string): {
  readonly isExempt: (destination: URL) => boolean;
  readonly ignored: readonly number[];
} {
  const networks = new BlockList();
  const hosts: ExemptHost[] = [];
  const ignored: number[] = [];
  const entries = text.split(/[,\s]+/).filter((entry) => entry !== '');
  for (const [index, entry] of entries.entries()) {
    if (entry === '*') return { isExempt: () => true, ignored: [] };
    if (!addNetwork(networks, entry) && !addHost(hosts, entry)) ignored.push(index + 1);
  }

  return {
    ignored,
    isExempt(destination) {
      const name = destination.hostname.replace(/\.$/, '');
      const port = destination.port || (destination.protocol === 'https:' ? '443' : '80');
      const address = name.replace(/^\[(.*)\]$/, '$1');
      const family = isIP(address);
      if (family !== 0 && networks.check(address, family === 4 ? 'ipv4' : 'ipv6')) return true;
      return hosts.some(
        (host) =>
          (name === host.name || (family === 0 && name.endsWith(`.${host.name}`))) &&
          (host.port === undefined || host.port === port),
      );
    },
  };
}

/** An address, IPv6 with or without brackets, or a network. */
function addNetwork(networks: BlockList, entry: string): boolean {
  const [address = '', bits, ...more] = entry.replace(/^\[(.*)\]$/, '$1').split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (bits === undefined) networks.addAddress(address, type);
  else if (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)) {
    networks.addSubnet(address, Number(bits), type);
  } else return false;
  return true;
}

/** `example.com`, `.example.com`, `*.example.com`, each with or without a port; `192.0.2.1:8080`, `[2001:db8::1]:8080`. */
function addHost(hosts: ExemptHost[], entry: string): boolean {
  const [, text = '', port] = /^(?:\*?\.)?([^/:@*[\]]+|\[[\da-fA-F:.]+\])(?::(\d{1,5}))?$/.exec(entry) ?? [];
  if (text === '' || parseUrl(`http://${text}`) === undefined) return false;
  hosts.push({ name: new URL(`http://${text}`).hostname.replace(/\.$/, ''), port: port && String(Number(port)) });
  return true;
}
