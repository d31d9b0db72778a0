import ipaddr from 'ipaddr.js';

/**
 * What an address is counted by: IPv4 whole, IPv6 by its first 64 bits, because a single customer has at least that many
 * to choose from (RFC 6177 §2), and IPv4 written as IPv6 (RFC 4291 §2.5.5.2) as IPv4.
 *
 * @returns null for what is no address
 */
export function addressKey(address: string): string | null {
  const bare = address.replace(/%.*$/, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return bare;
  if (!ipaddr.IPv6.isValid(bare)) return null;
  const parsed = ipaddr.IPv6.parse(bare);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
