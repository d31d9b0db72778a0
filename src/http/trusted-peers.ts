import proxyAddr from '@fastify/proxy-addr';
import type { FastifyRequest } from 'fastify';

/** Whether an address belongs to a list of trusted addresses and networks. */
export type IsTrusted = (address: string) => boolean;

/**
 * @param networks entries of TRUST_PROXY: addresses, networks, `loopback`, `linklocal`, `uniquelocal`
 * @throws TypeError for an entry that is none of these
 */
export function createTrust(networks: readonly string[]): IsTrusted {
  if (networks.length === 0) return () => false;
  const isTrusted = proxyAddr.compile([...networks]);
  return (address) => isTrusted(address, 0);
}

/** Headers that a proxy adds to a request which it forwards for another client. */
const FORWARDING_HEADER = /^(?:forwarded|via|x-forwarded-.+|x-original-.+|x-real-ip|.*client-ip|.*connecting-ip)$/;

/**
 * Whether the sender of a request is this machine or one of the trusted peers itself. A request that such a peer forwards
 * for another client does not count, because that client may be anonymous.
 */
export function isOwnRequest(
  { headers, socket }: Pick<FastifyRequest, 'headers' | 'socket'>,
  isTrusted: IsTrusted,
): boolean {
  if (Object.keys(headers).some((name) => FORWARDING_HEADER.test(name))) return false;
  const peer = socket.remoteAddress ?? '';
  return isLoopback(peer) || isTrusted(peer);
}

const isLoopback = createTrust(['loopback']);
