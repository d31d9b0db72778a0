import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/**
 * The address that a request is counted by: what the trusted proxies say of it, or, where what they passed on is no
 * address, the peer that really connected.
 */
export function clientAddress(request: FastifyRequest): string {
  return isIP(request.ip) === 0 ? (request.socket.remoteAddress ?? '') : request.ip;
}
