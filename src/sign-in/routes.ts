import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FromSchema } from 'json-schema-to-ts';
import { type Challenge, keepUntil, parseChallenge, secondsAhead } from '../challenge/challenge.ts';
import { isoSeconds } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import type { ReturnTo } from '../gateway/return-to.ts';
import { clientAddress } from '../http/client-address.ts';
import { preferredLanguage, wantsHtml } from '../http/negotiate.ts';
import { answerWith } from '../http/problem.ts';
import { traceOf } from '../http/request-trace.ts';
import { localeNames } from '../pages/locales/locales.ts';
import type { Pages } from '../pages/render.ts';
import type { SealedCookies } from '../seal/cookies.ts';
import type { CurrentSession } from '../session/current.ts';
import * as api from './api.ts';
import type { Issued } from './issue.ts';
import { login } from './login.ts';
import type { SignInPorts } from './ports.ts';
import { resend } from './resend.ts';
import { verify } from './verify.ts';

export interface SignInRoutes {
  readonly ports: SignInPorts;
  readonly cookies: SealedCookies;
  readonly pages: Pages;
  readonly currentSession: CurrentSession;
  readonly returnTo: ReturnTo;
  /** All of a phone number that may be shown. */
  readonly mask: (phone: string) => string;
}

/** The sign-in: pages, password, code, resend. */
export function registerSignIn(app: FastifyInstance, routes: SignInRoutes): void {
  const { ports, cookies, pages, currentSession, returnTo, mask } = routes;
  const { clock, settings } = ports;

  const openChallenge = (request: FastifyRequest) => {
    const sealed = cookies.open(request, 'challenge');
    const challenge = parseChallenge(sealed, clock(), settings.loginTtlSeconds);
    if (challenge !== null || sealed === null) return challenge;
    const seconds = secondsAhead(sealed, clock());
    if (seconds > 0) ports.events({ type: 'clock_behind', seconds });
    return null;
  };

  const otpView = ({ phone, channel }: Challenge) => ({ to: mask(phone), channel });

  const sent = (request: FastifyRequest, reply: FastifyReply, { challenge, resendAtMs }: Issued) => {
    const maxAge = keepUntil(challenge, settings.loginTtlSeconds) - Math.floor(clock() / 1000);
    cookies.set(reply, 'challenge', challenge, maxAge);
    if (wantsHtml(request)) return reply.redirect('/otp', 303);
    return {
      status: 'otp_sent',
      channel: challenge.channel,
      to: mask(challenge.phone),
      expiresAt: isoSeconds(challenge.exp),
      resendAt: isoSeconds(Math.ceil(resendAtMs / 1000)),
      attemptsLeft: settings.otpAttempts,
    };
  };

  const loginPage = answerWith((request, reply, problem) => {
    if (problem.code === 'internal_error') return pages.error(reply, problem);
    const { username, next } = (request.body ?? {}) as Record<string, unknown>;
    return pages.login(
      reply,
      { username: typeof username === 'string' ? username.slice(0, 256) : '', next: returnTo(next) },
      problem,
    );
  });

  const otpPage = answerWith((request, reply, problem) => {
    if (problem.code === 'internal_error') return pages.error(reply, problem);
    const challenge = openChallenge(request);
    return challenge === null
      ? pages.login(reply, { next: '/' }, problem)
      : pages.otp(reply, otpView(challenge), problem);
  });

  // `rd` is what some gateways call it.
  const loginPageOptions = { config: { operation: api.loginPage } };
  app.get<{ Querystring: { next?: unknown; rd?: unknown } }>('/login', loginPageOptions, async (request, reply) => {
    const next = returnTo(request.query.next ?? request.query.rd);
    const session = await currentSession(request, reply);
    return session === null ? pages.login(reply, { next }) : reply.redirect(next, 303);
  });

  app.post<{ Body: FromSchema<typeof api.loginBody> }>(
    '/login',
    {
      schema: { body: api.loginBody, response: { 200: api.otpSent } },
      config: { operation: api.login },
      errorHandler: loginPage,
    },
    async (request, reply) => {
      const { username, password, channel = ports.delivery.channels[0] ?? 'sms', next } = request.body;
      const address = clientAddress(request);
      const input = {
        username,
        password,
        address,
        channel,
        next: returnTo(next),
        locale: preferredLanguage(request, localeNames),
        trace: traceOf(request),
      };
      return sent(request, reply, await login(ports, input));
    },
  );

  app.get('/otp', { config: { operation: api.otpPage } }, async (request, reply) => {
    const challenge = openChallenge(request);
    if (challenge === null) return reply.redirect((await currentSession(request)) === null ? '/login' : '/', 303);
    const expired = clock() >= challenge.exp * 1000 ? new DoorcodeError('otp_expired') : undefined;
    return pages.otp(reply, otpView(challenge), expired, 200);
  });

  app.post<{ Body: FromSchema<ReturnType<typeof api.otpBody>> }>(
    '/otp',
    {
      schema: { body: api.otpBody(settings.otpDigits), response: { 200: api.authenticated } },
      config: { operation: api.otp },
      errorHandler: otpPage,
    },
    async (request, reply) => {
      const challenge = openChallenge(request);
      const session = await verify(ports, challenge, request.body.otp, traceOf(request));
      cookies.set(reply, 'session', session);
      cookies.clear(reply, 'challenge');
      const next = challenge?.next ?? '/';
      if (wantsHtml(request)) return reply.redirect(next, 303);
      return { status: 'authenticated', user: session.sub, expiresAt: isoSeconds(session.exp), next };
    },
  );

  app.post<{ Body: FromSchema<typeof api.resendBody> }>(
    '/otp/resend',
    {
      schema: { body: api.resendBody, response: { 200: api.otpSent } },
      config: { operation: api.resend },
      errorHandler: otpPage,
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request, reply) => {
      const { channel } = request.body;
      const challenge = openChallenge(request);
      return sent(request, reply, await resend(ports, challenge, clientAddress(request), traceOf(request), channel));
    },
  );
}
