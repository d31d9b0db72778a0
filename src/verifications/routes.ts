import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FromSchema } from 'json-schema-to-ts';
import type { Logger } from 'pino';
import { secondsAhead } from '../challenge/challenge.ts';
import { isoSeconds } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { preferredLanguage } from '../http/negotiate.ts';
import { answerJson } from '../http/problem.ts';
import { traceOf } from '../http/request-trace.ts';
import { API_KEY_REFUSED } from '../openapi/problem.ts';
import { localeNames, supportedLocale } from '../pages/locales/locales.ts';
import type { Codec } from '../seal/codec.ts';
import { openToken, sealToken } from '../seal/token.ts';
import * as api from './api.ts';
import type { ApiKeys } from './api-keys.ts';
import { checkVerification } from './check.ts';
import type { VerificationPorts } from './ports.ts';
import { type Requested, requestVerification, resendVerification } from './request.ts';
import { parseVerification, type Verification } from './verification.ts';

export interface VerificationRoutes {
  readonly ports: VerificationPorts;
  readonly codec: Codec;
  readonly apiKeys: ApiKeys;
  /** All of a phone number that may be shown. */
  readonly mask: (phone: string) => string;
  /** Signs that a number was proved; absent when there is no key to sign with. */
  readonly receipt?: (verification: Verification, nowMs: number) => Promise<string>;
}

/** Proving phone numbers for other servers: ask, check, ask again. Nothing is stored; the id holds it all, sealed. */
export function registerVerifications(app: FastifyInstance, routes: VerificationRoutes): void {
  const { ports, codec, apiKeys, mask, receipt } = routes;
  const { clock, settings } = ports;
  const keyNames = new WeakMap<FastifyRequest, string>();

  /** Before anything else of the request is looked at; every refusal is the same. */
  const authenticate = async (request: FastifyRequest) => {
    const name = apiKeys.nameOf(request.headers.authorization, clock());
    if (name === null) {
      ports.events({ type: 'refused', outcome: 'not_authenticated', trace: traceOf(request) });
      throw new DoorcodeError('not_authenticated', { title: API_KEY_REFUSED });
    }
    keyNames.set(request, name);
    // So that every line about the request says whose it was.
    (request.log as Logger).setBindings({ key: name });
  };
  const keyOf = (request: FastifyRequest) => keyNames.get(request) ?? '';

  const open = (request: FastifyRequest, token: string): Verification | null => {
    const sealed = openToken(codec, 'verification', token);
    const verification = parseVerification(sealed, clock(), settings.loginTtlSeconds);
    const seconds = verification === null ? secondsAhead(sealed, clock()) : 0;
    if (seconds > 0) ports.events({ type: 'clock_behind', trace: traceOf(request), seconds });
    return verification?.key === keyOf(request) ? verification : null;
  };

  const answer = (request: FastifyRequest, reply: FastifyReply, { verification, resendAtMs }: Requested) => {
    const { channel, exp, id, phone, test } = verification;
    if (test) request.log.warn({ verification: id }, 'test number: nothing was sent');
    return reply.code(201).send({
      id: sealToken(codec, 'verification', verification),
      status: 'pending',
      to: mask(phone),
      channel,
      expiresAt: isoSeconds(exp),
      resendAt: isoSeconds(Math.ceil(resendAtMs / 1000)),
      attemptsLeft: settings.otpAttempts,
    });
  };

  // A sealed id of at most 511 bytes, a code and a number.
  const common = { onRequest: authenticate, errorHandler: answerJson, bodyLimit: 2048 };

  app.post<{ Body: FromSchema<typeof api.requestBody> }>(
    '/verifications',
    {
      ...common,
      schema: { body: api.requestBody, response: { 201: api.pending } },
      config: { operation: api.request },
    },
    async (request, reply) => {
      const { to, channel = ports.delivery.channels[0] ?? 'sms', locale } = request.body;
      const language = locale === undefined ? preferredLanguage(request, localeNames) : supportedLocale(locale);
      const input = { key: keyOf(request), to, channel, locale: language, trace: traceOf(request) };
      return answer(request, reply, await requestVerification(ports, input));
    },
  );

  app.post<{ Body: FromSchema<ReturnType<typeof api.checkBody>> }>(
    '/verifications/check',
    {
      ...common,
      schema: { body: api.checkBody(settings.otpDigits), response: { 200: api.approved } },
      config: { operation: api.check },
    },
    async (request) => {
      const { id, code, to } = request.body;
      const verification = await checkVerification(ports, open(request, id), code, traceOf(request), to);
      if (verification.test) {
        request.log.warn({ verification: verification.id }, 'test number: approved');
      }
      const signed = receipt === undefined ? {} : { receipt: await receipt(verification, clock()) };
      return { status: 'approved', to: mask(verification.phone), ...signed };
    },
  );

  app.post<{ Body: FromSchema<typeof api.resendBody> }>(
    '/verifications/resend',
    {
      ...common,
      schema: { body: api.resendBody, response: { 201: api.pending } },
      config: { operation: api.resend },
    },
    async (request, reply) => {
      const { id, channel } = request.body;
      return answer(request, reply, await resendVerification(ports, open(request, id), traceOf(request), channel));
    },
  );
}
