import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FromSchema } from 'json-schema-to-ts';
import { type Challenge, keepUntil, parseChallenge } from '../challenge/challenge.ts';
import { isoSeconds } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { MAX_RETURN_TO_LENGTH, type ReturnTo } from '../gateway/return-to.ts';
import { clientAddress } from '../http/client-address.ts';
import { preferredLanguage, wantsHtml } from '../http/negotiate.ts';
import { answerWith } from '../http/problem.ts';
import { localeNames } from '../pages/locales/locales.ts';
import type { Pages } from '../pages/render.ts';
import type { SealedCookies } from '../seal/cookies.ts';
import type { CurrentSession } from '../session/current.ts';
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

const channel = { type: 'string', enum: ['sms', 'voice'] } as const;

const loginBody = {
  type: 'object',
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 256 },
    password: { type: 'string', minLength: 1, maxLength: 1024 },
    channel,
    next: { type: 'string', maxLength: MAX_RETURN_TO_LENGTH },
  },
  required: ['username', 'password'],
  additionalProperties: false,
} as const;

const otpBody = (digits: number) =>
  ({
    type: 'object',
    properties: { otp: { type: 'string', pattern: `^[0-9]{${digits}}$` } },
    required: ['otp'],
    additionalProperties: false,
  }) as const;

const resendBody = { type: 'object', properties: { channel }, additionalProperties: false } as const;

const otpSent = {
  type: 'object',
  properties: {
    status: { type: 'string', const: 'otp_sent' },
    channel,
    to: { type: 'string' },
    expiresAt: { type: 'string' },
    resendAt: { type: 'string' },
    attemptsLeft: { type: 'integer' },
  },
  required: ['status', 'channel', 'to', 'expiresAt', 'resendAt', 'attemptsLeft'],
} as const;

const authenticated = {
  type: 'object',
  properties: {
    status: { type: 'string', const: 'authenticated' },
    user: { type: 'string' },
    expiresAt: { type: 'string' },
    next: { type: 'string' },
  },
  required: ['status', 'user', 'expiresAt', 'next'],
} as const;

/** The sign-in: pages, password, code, resend. */
export function registerSignIn(app: FastifyInstance, routes: SignInRoutes): void {
  const { ports, cookies, pages, currentSession, returnTo, mask } = routes;
  const { clock, settings } = ports;

  const openChallenge = (request: FastifyRequest) =>
    parseChallenge(cookies.open(request, 'challenge'), clock(), settings.loginTtlSeconds);

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
  app.get<{ Querystring: { next?: unknown; rd?: unknown } }>('/login', async (request, reply) => {
    const next = returnTo(request.query.next ?? request.query.rd);
    const session = await currentSession(request, reply);
    return session === null ? pages.login(reply, { next }) : reply.redirect(next, 303);
  });

  app.post<{ Body: FromSchema<typeof loginBody> }>(
    '/login',
    { schema: { body: loginBody, response: { 200: otpSent } }, errorHandler: loginPage },
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
      };
      return sent(request, reply, await login(ports, input));
    },
  );

  app.get('/otp', async (request, reply) => {
    const challenge = openChallenge(request);
    if (challenge === null) return reply.redirect((await currentSession(request)) === null ? '/login' : '/', 303);
    const expired = clock() >= challenge.exp * 1000 ? new DoorcodeError('otp_expired') : undefined;
    return pages.otp(reply, otpView(challenge), expired, 200);
  });

  app.post<{ Body: FromSchema<ReturnType<typeof otpBody>> }>(
    '/otp',
    { schema: { body: otpBody(settings.otpDigits), response: { 200: authenticated } }, errorHandler: otpPage },
    async (request, reply) => {
      const challenge = openChallenge(request);
      const session = await verify(ports, challenge, request.body.otp);
      cookies.set(reply, 'session', session);
      cookies.clear(reply, 'challenge');
      const next = challenge?.next ?? '/';
      if (wantsHtml(request)) return reply.redirect(next, 303);
      return { status: 'authenticated', user: session.sub, expiresAt: isoSeconds(session.exp), next };
    },
  );

  app.post<{ Body: FromSchema<typeof resendBody> }>(
    '/otp/resend',
    {
      schema: { body: resendBody, response: { 200: otpSent } },
      errorHandler: otpPage,
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request, reply) =>
      sent(request, reply, await resend(ports, openChallenge(request), clientAddress(request), request.body.channel)),
  );
}
