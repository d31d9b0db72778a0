import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A key that addresses are counted by, and how many times the limit of a single address applies to it. */
export interface AddressKey {
  readonly key: string;
  readonly factor: number;
}

/**
 * IPv6 prefixes that are counted, with their factors. A connection gets at least a /64 (RFC 6177 §2), a household often a
 * /56 and a site up to a /48, which has 65,536 networks of 64 bits. A /48 can also hold many customers of one provider,
 * hence the larger limits. The /56 between them keeps one household from using up the limit of its whole /48.
 */
const PREFIXES: readonly { readonly bits: 64 | 56 | 48; readonly factor: number }[] = [
  { bits: 64, factor: 1 },
  { bits: 56, factor: 4 },
  { bits: 48, factor: 16 },
];

/**
 * What an address is counted by. An IPv4 address is one key, also when it is written as IPv6 or when a translator put
 * it into an IPv6 address. A native IPv6 address has a key for each of the prefixes /64, /56 and /48.
 *
 * @param address without brackets; a zone id (`%eth0`) is ignored
 * @returns the narrowest key first; nothing for text that is no address
 */
export function addressKeys(address: string): AddressKey[] {
  if (isIPv4(address)) return [{ key: address, factor: 1 }];
  if (!isIPv6(address)) return [];
  const { parts } = ipaddr.IPv6.parse(address.replace(/%.*$/s, ''));
  const ipv4 = embeddedIPv4(parts);
  if (ipv4 !== null) return [{ key: ipv4, factor: 1 }];
  if (isLocalNat64(parts)) return [{ key: textOf(parts), factor: 1 }];
  return PREFIXES.map(({ bits, factor }) => ({ key: `${textOf(prefixOf(parts, bits))}::/${bits}`, factor }));
}

/**
 * The IPv4 address in an IPv6 address of these forms: mapped `::ffff:0:0/96` and compatible `::/96` (RFC 4291 §2.5.5),
 * translated `::ffff:0:0:0/96` (RFC 2765 §2.1), NAT64 `64:ff9b::/96` (RFC 6052 §2.1) and `64:ff9b:1::/48` with the
 * address in the last 32 bits (RFC 8215), 6to4 `2002::/16` (RFC 3056 §2), Teredo `2001::/32` (RFC 4380 §4).
 *
 * ISATAP (RFC 5214) is not among them: a client chooses its interface identifier freely, so it could count for any IPv4
 * address.
 */
function embeddedIPv4(parts: readonly number[]): string | null {
  const [a, b, c, d, e, f, g = 0, h = 0] = parts;
  const beginsWith = (...prefix: readonly number[]) => prefix.every((part, index) => parts[index] === part);
  if (beginsWith(0, 0, 0, 0, 0, 0xffff) || beginsWith(0, 0, 0, 0, 0xffff, 0)) return ipv4Of(g, h);
  // Not `::` and `::1`, and nothing else that would be in 0.0.0.0/8.
  if (beginsWith(0, 0, 0, 0, 0, 0) && g > 0xff) return ipv4Of(g, h);
  if (a === 0x64 && b === 0xff9b && [c, d, e, f].every((part) => part === 0)) return ipv4Of(g, h);
  // In the other formats of RFC 6052 §2.2, which RFC 8215 also allows, the last 24 bits are zero.
  if (isLocalNat64(parts) && ((g & 0xff) !== 0 || h !== 0)) return ipv4Of(g, h);
  if (a === 0x2002) return ipv4Of(b ?? 0, c ?? 0);
  if (a === 0x2001 && b === 0) return ipv4Of(g ^ 0xffff, h ^ 0xffff);
  return null;
}

/** NAT64 with a prefix of the operator's choice: only the translator forms these addresses, one for each IPv4 address. */
function isLocalNat64([a, b, c]: readonly number[]): boolean {
  return a === 0x64 && b === 0xff9b && c === 1;
}

function ipv4Of(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The parts of 16 bits that a prefix covers, the last one masked. */
function prefixOf(parts: readonly number[], bits: 64 | 56 | 48): number[] {
  if (bits === 56) return [...parts.slice(0, 3), (parts[3] ?? 0) & 0xff00];
  return parts.slice(0, bits / 16);
}

function textOf(parts: readonly number[]): string {
  return parts.map((part) => part.toString(16)).join(':');
}
