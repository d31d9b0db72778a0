import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import type { OpenedCookie, SealedCookies } from '../seal/cookies.ts';
import { foldUsername } from '../username.ts';
import type { Revocation } from './revocation.ts';
import { parseSession, renewSession, type Session } from './session.ts';

/**
 * The session of a request; null without a valid one, and when valid sessions of different users are present.
 *
 * @param reply takes the renewed cookie when the request counts as use, and sessions end unused
 */
export type CurrentSession = (request: FastifyRequest, reply?: FastifyReply) => Promise<Session | null>;

/** Every valid session of a request, each once, under the names of every `COOKIE_DOMAIN`: for ending them. */
export type ValidSessions = (request: FastifyRequest) => Promise<readonly ValidSession[]>;

export interface ValidSession {
  readonly session: Session;
  /** Of its cookie. */
  readonly name: string;
}

/**
 * Revokes the valid sessions of other users in a request that has just signed in. Beside them the new session
 * would count for nothing, because a request with sessions of different users is unauthenticated. Never rejects: the code
 * is used up, and an outage of the limit store must not refuse the user now.
 */
export type EndOtherSessions = (request: FastifyRequest, session: Session) => Promise<void>;

export interface SessionValidity {
  readonly revocation: Revocation;
  readonly clock: Clock;
  /** After how long without use a session ends; without, only at its own end. */
  readonly idleTtlSeconds?: number | undefined;
}

export function createValidSessions(cookies: SealedCookies, validity: SessionValidity): ValidSessions {
  return (request) => validAmong(cookies.openAnyName(request, 'session'), validity);
}

export function createEndOtherSessions(cookies: SealedCookies, validity: SessionValidity): EndOtherSessions {
  return async (request, session) => {
    const opened = cookies.openAll(request, 'session');
    if (opened.length === 0) return;
    try {
      for (const { session: other } of await validAmong(opened, validity))
        if (!isSameUser(other, session)) await validity.revocation.revoke(other.id, other.exp);
    } catch (error) {
      request.log.warn({ err: error }, 'sessions of other users in this browser could not be revoked');
    }
  };
}

/**
 * Decides which session a request belongs to. With `COOKIE_DOMAIN` a subdomain can set cookies that arrive before ours,
 * and after a change of `COOKIE_DOMAIN` browsers send the earlier cookie as well. So every cookie is validated, and the
 * first valid one counts. If the valid ones belong to different users, the request is unauthenticated: which of them the
 * user meant cannot be known, and acting for the wrong account is worse than signing in again.
 *
 * A session that ends unused says in its cookie when it was last seen, so any replica can tell, with nothing stored.
 * Requests at the same time may each renew it; whichever cookie the browser keeps is as good. One that is put back
 * later is only older, and ends sooner.
 */
export function createCurrentSession(cookies: SealedCookies, validity: SessionValidity): CurrentSession {
  const { clock, idleTtlSeconds } = validity;
  return async (request, reply) => {
    const valid = await validAmong(cookies.openAll(request, 'session'), validity);
    const first = valid[0];
    if (first === undefined) return null;
    if (valid.length > 1 && !valid.every(({ session }) => isSameUser(session, first.session))) {
      request.log.info('valid sessions of different users in one request: it is treated as unauthenticated');
      return null;
    }
    const { session, name } = first;
    if (reply === undefined) return session;
    const renewed = idleTtlSeconds === undefined ? null : renewSession(session, clock(), idleTtlSeconds);
    // A session from before COOKIE_DOMAIN was set is sent to the login host alone. It is set for the domain, because the
    // apps would send their users to the login page, and that one back to the app, without end.
    if (renewed !== null || name !== cookies.names.session) cookies.set(reply, 'session', renewed ?? session);
    return renewed ?? session;
  };
}

/** Whether two sessions belong to the same user, by the form in which usernames are compared. */
export function isSameUser(one: Pick<Session, 'sub'>, other: Pick<Session, 'sub'>): boolean {
  return one.sub === other.sub || foldUsername(one.sub) === foldUsername(other.sub);
}

/** Those that are well-formed, not over, in use, and not revoked. */
async function validAmong(
  opened: readonly OpenedCookie[],
  { revocation, clock, idleTtlSeconds }: SessionValidity,
): Promise<readonly ValidSession[]> {
  const now = clock();
  const valid: ValidSession[] = [];
  for (const { name, payload } of opened) {
    const session = parseSession(payload, now, idleTtlSeconds);
    if (session === null || valid.some((other) => other.session.id === session.id)) continue;
    if (!(await revocation.isRevoked(session.id))) valid.push({ session, name });
  }
  return valid;
}
