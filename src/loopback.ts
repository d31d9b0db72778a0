import { BlockList, isIP } from 'node:net';
import { parseUrl } from './parse-url.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether a host name, an IPv6 address in brackets among them, means this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const family = isIP(host);
  if (family === 0) return host === 'localhost';
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Whether this is a URL over HTTP, without credentials. */
export function isHttpUrl(text: string): boolean {
  const url = parseUrl(text);
  if (url === undefined) return false;
  const { protocol, username, password } = url;
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/**
 * Whether it is a URL that the simulator calls, too. Only this machine: nobody who can reach the simulator may have it
 * knock at other doors.
 */
export function isLoopbackUrl(text: string): boolean {
  return isHttpUrl(text) && isLoopbackHost(new URL(text).hostname);
}
