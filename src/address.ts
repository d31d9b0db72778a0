import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The 16-bit parts before the IPv4 address in `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0xffff];

/**
 * What an address is counted by: IPv4 whole, IPv6 by its first 64 bits, because a single customer has at least that many
 * to choose from (RFC 6177 §2), and IPv4 written as IPv6 as IPv4.
 *
 * @returns null for what is no address
 */
export function addressKey(address: string): string | null {
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return null;
  const parsed = ipaddr.IPv6.parse(address.replace(/%.*$/, ''));
  if (MAPPED.every((part, index) => parsed.parts[index] === part)) return parsed.toIPv4Address().toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
