import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FromSchema } from 'json-schema-to-ts';
import { keepUntil } from '../challenge/challenge.ts';
import { isoSeconds } from '../clock.ts';
import { fitBeside, type ReturnTo } from '../gateway/return-to.ts';
import { clientAddress } from '../http/client-address.ts';
import { wantsHtml } from '../http/negotiate.ts';
import { traceOf } from '../http/request-trace.ts';
import type { Languages } from '../pages/language.ts';
import type { SignInPages } from '../pages/sign-in-pages.ts';
import type { SealedCookies } from '../seal/cookies.ts';
import type { EndOtherSessions } from '../session/current.ts';
import * as api from './api.ts';
import type { Issued } from './issue.ts';
import { login } from './login.ts';
import { createOnce, type Later } from './once.ts';
import type { SignInPorts } from './ports.ts';
import { resend } from './resend.ts';
import { refuseStale, verify } from './verify.ts';

export interface SignInRoutes {
  readonly ports: SignInPorts;
  readonly cookies: SealedCookies;
  readonly pages: SignInPages;
  readonly languages: Languages;
  readonly returnTo: ReturnTo;
  /** All of a phone number that may be shown. */
  readonly mask: (phone: string) => string;
  readonly endOtherSessions: EndOtherSessions;
  /** See {@link createOnce}. */
  readonly later?: Later | undefined;
}

/** A code, or a channel, and in forms the id of the challenge: under 100 bytes. */
const SMALL_BODY_BYTES = 1024;

/** The sign-in: pages, password, code, resend. */
export function registerSignIn(app: FastifyInstance, routes: SignInRoutes): void {
  const { ports, cookies, pages, languages, returnTo, mask, endOtherSessions, later } = routes;
  const { clock, settings } = ports;
  const once = createOnce(later);

  const sent = (request: FastifyRequest, reply: FastifyReply, { challenge, resendAtMs }: Issued) => {
    const maxAge = keepUntil(challenge, settings.loginTtlSeconds) - Math.floor(clock() / 1000);
    const next = fitBeside(challenge.sub, challenge.next);
    cookies.set(reply, 'challenge', { ...challenge, next }, maxAge);
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

  // `rd` is what some gateways call it.
  app.get<{ Querystring: { next?: unknown; rd?: unknown } }>(
    '/login',
    { config: { operation: api.loginPage }, preHandler: languages.change },
    (request, reply) => pages.login(request, reply, request.query.next ?? request.query.rd),
  );

  app.post<{ Body: FromSchema<typeof api.loginBody> }>(
    '/login',
    {
      schema: { body: api.loginBody, response: { 200: api.otpSent } },
      config: { operation: api.login },
      errorHandler: pages.loginFailed,
      preValidation: pages.readForm,
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
        locale: languages.of(request),
        trace: traceOf(request),
      };
      return sent(request, reply, await once(pages.sameForm(request), () => login(ports, input)));
    },
  );

  app.get('/otp', { config: { operation: api.otpPage }, preHandler: languages.change }, pages.otp);

  app.post<{ Body: FromSchema<ReturnType<typeof api.otpBody>> }>(
    '/otp',
    {
      bodyLimit: SMALL_BODY_BYTES,
      schema: { body: api.otpBody(settings.otpDigits), response: { 200: api.authenticated } },
      config: { operation: api.otp },
      errorHandler: pages.otpFailed,
      preValidation: pages.readForm,
    },
    async (request, reply) => {
      const challenge = await pages.openChallenge(request);
      if (pages.isStale(request, challenge)) refuseStale(ports, challenge, traceOf(request));
      const session = await once(pages.sameForm(request, challenge), () =>
        verify(ports, challenge, request.body.otp, traceOf(request)),
      );
      await endOtherSessions(request, session);
      cookies.set(reply, 'session', session);
      cookies.clear(reply, 'challenge');
      const next = challenge?.next ?? '/';
      pages.signedIn(request, reply);
      if (wantsHtml(request)) return reply.redirect(next, 303);
      return { status: 'authenticated', user: session.sub, expiresAt: isoSeconds(session.exp), next };
    },
  );

  app.post<{ Body: FromSchema<typeof api.resendBody> }>(
    '/otp/resend',
    {
      bodyLimit: SMALL_BODY_BYTES,
      schema: { body: api.resendBody, response: { 200: api.otpSent } },
      config: { operation: api.resend },
      errorHandler: pages.otpFailed,
      preValidation: pages.readForm,
    },
    async (request, reply) => {
      const challenge = await pages.openChallenge(request);
      // The same form once more, or one of a page that is older than the last code: that code is the answer.
      if (pages.isStale(request, challenge)) return reply.redirect('/otp', 303);
      const issued = await once(pages.sameForm(request, challenge), () =>
        resend(ports, challenge, clientAddress(request), traceOf(request), request.body.channel),
      );
      return sent(request, reply, issued);
    },
  );
}
