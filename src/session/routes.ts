import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isoSeconds } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import type { Events } from '../events.ts';
import { wantsHtml } from '../http/negotiate.ts';
import { answerWith } from '../http/problem.ts';
import { traceOf } from '../http/request-trace.ts';
import type { Languages } from '../pages/language.ts';
import type { Pages } from '../pages/render.ts';
import type { SealedCookies } from '../seal/cookies.ts';
import * as api from './api.ts';
import type { CurrentSession, ValidSessions } from './current.ts';
import type { Revocation } from './revocation.ts';

export interface SessionRoutes {
  readonly events: Events;
  readonly cookies: SealedCookies;
  readonly currentSession: CurrentSession;
  readonly validSessions: ValidSessions;
  readonly revocation: Revocation;
  readonly pages: Pages;
  readonly languages: Languages;
  /** Closes every challenge that the request carries, so that signing out ends an open login as well. */
  readonly closeChallenges: (request: FastifyRequest) => Promise<void>;
}

/** @throws DoorcodeError always; without the limit store, one that says how far the signing out went */
function tellWhatStays(error: unknown): never {
  if (!(error instanceof DoorcodeError) || error.code !== 'limits_unavailable') throw error;
  const { retryAfterSeconds, cause } = error;
  throw new DoorcodeError('limits_unavailable', {
    detail: 'the cookies are cleared, but not all could be revoked: copies of them may stay good until they expire',
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    cause,
  });
}

/** Who am I, the signed-in page, and signing out. */
export function registerSession(app: FastifyInstance, routes: SessionRoutes): void {
  const { events, cookies, currentSession, validSessions, revocation, pages, languages, closeChallenges } = routes;

  const logoutPage = answerWith((_request, reply, problem) =>
    problem.code === 'limits_unavailable' ? pages.signedOutHere(reply, problem) : pages.error(reply, problem),
  );

  app.get(
    '/session',
    { schema: { response: { 200: api.sessionAnswer } }, config: { operation: api.session } },
    async (request, reply) => {
      const session = await currentSession(request, reply);
      if (session === null) throw new DoorcodeError('not_authenticated');
      const { sub: user, iat, exp, amr } = session;
      return { user, authenticatedAt: isoSeconds(iat), expiresAt: isoSeconds(exp), amr: [...amr] };
    },
  );

  app.get('/', { config: { operation: api.home }, preHandler: languages.change }, async (request, reply) => {
    const session = await currentSession(request, reply);
    if (session === null) return reply.redirect('/login', 303);
    const { sub: user, iat, exp } = session;
    return pages.home(reply, { user, sinceMs: iat * 1000, untilMs: exp * 1000 });
  });

  app.post(
    '/logout',
    {
      // It takes no members.
      bodyLimit: 1024,
      schema: { body: api.emptyBody, response: { 200: api.signedOut } },
      config: { operation: api.logout },
      preValidation: async (request) => {
        request.body ??= {};
      },
      errorHandler: logoutPage,
    },
    async (request, reply) => {
      // Whatever comes next: who signs out at a shared computer must not stay signed in there for an outage.
      cookies.clear(reply, 'session');
      cookies.clear(reply, 'challenge');
      // It may say that a session cookie was just set, which the login page would miss now.
      if (request.headers.cookie?.includes(cookies.names.notice)) cookies.clear(reply, 'notice');
      // The sessions of every user in the request. One that stayed valid could be used again after signing out.
      const sessions = await validSessions(request);
      await Promise.all([
        ...sessions.map(({ session: { id, exp } }) => revocation.revoke(id, exp)),
        closeChallenges(request),
      ]).catch(tellWhatStays);
      for (const { session } of sessions) events({ type: 'signed_out', subject: session.sub, trace: traceOf(request) });
      return wantsHtml(request) ? reply.redirect('/login', 303) : { status: 'signed_out' };
    },
  );
}
