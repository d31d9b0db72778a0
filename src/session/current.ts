import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import type { SealedCookies } from '../seal/cookies.ts';
import type { Revocation } from './revocation.ts';
import { parseSession, renewSession, type Session } from './session.ts';

/**
 * Who is signed in on this request; null for no session, an expired one and a revoked one.
 *
 * @param reply takes the renewed cookie when the request counts as use, and sessions end unused
 */
export type CurrentSession = (request: FastifyRequest, reply?: FastifyReply) => Promise<Session | null>;

/**
 * A session that ends unused says in its cookie when it was last seen, so any replica can tell, with nothing stored.
 * Requests at the same time may each renew it; whichever cookie the browser keeps is as good. One that is put back
 * later is only older, and ends sooner.
 *
 * @param idleTtlSeconds after how long without use a session ends; without, only at its own end
 */
export function createCurrentSession(
  cookies: SealedCookies,
  revocation: Revocation,
  clock: Clock,
  idleTtlSeconds?: number,
): CurrentSession {
  return async (request, reply) => {
    const session = parseSession(cookies.open(request, 'session'), clock(), idleTtlSeconds);
    if (session === null || (await revocation.isRevoked(session.id))) return null;
    if (idleTtlSeconds === undefined || reply === undefined) return session;
    const renewed = renewSession(session, clock(), idleTtlSeconds);
    if (renewed !== null) cookies.set(reply, 'session', renewed);
    return renewed ?? session;
  };
}
