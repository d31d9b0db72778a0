import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

// Some load balancers write the client's port as well.
const WITH_PORT = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::\d{1,5})?$/;

/**
 * The address that a request is counted by: what the trusted proxies say of it, or, where what they passed on is no
 * address, the peer that really connected.
 */
export function clientAddress({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  if (isIP(ip) !== 0) return ip;
  const { v6, v4 } = WITH_PORT.exec(ip)?.groups ?? {};
  const address = v6 ?? v4 ?? '';
  return isIP(address) === 0 ? (socket.remoteAddress ?? '') : address;
}
