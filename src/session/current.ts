import type { FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import type { SealedCookies } from '../seal/cookies.ts';
import type { Revocation } from './revocation.ts';
import { parseSession, type Session } from './session.ts';

/** Who is signed in on this request; null for no session, an expired one and a revoked one. */
export type CurrentSession = (request: FastifyRequest) => Promise<Session | null>;

export function createCurrentSession(cookies: SealedCookies, revocation: Revocation, clock: Clock): CurrentSession {
  return async (request) => {
    const session = parseSession(cookies.open(request, 'session'), clock());
    return session === null || (await revocation.isRevoked(session.id)) ? null : session;
  };
}
