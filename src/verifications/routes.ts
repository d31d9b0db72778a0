import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FromSchema } from 'json-schema-to-ts';
import { isoSeconds } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { preferredLanguage } from '../http/negotiate.ts';
import { answerJson } from '../http/problem.ts';
import { localeNames } from '../pages/locales/locales.ts';
import type { Codec } from '../seal/codec.ts';
import { openToken, sealToken } from '../seal/token.ts';
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

const channel = { type: 'string', enum: ['sms', 'voice'] } as const;
const e164 = { type: 'string', pattern: '^\\+[1-9][0-9]{6,14}$' } as const;
const id = { type: 'string', minLength: 1, maxLength: 511 } as const;

const requestBody = {
  type: 'object',
  properties: { to: e164, channel, locale: { type: 'string', pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$' } },
  required: ['to'],
  additionalProperties: false,
} as const;

const checkBody = (digits: number) =>
  ({
    type: 'object',
    properties: { id, code: { type: 'string', pattern: `^[0-9]{${digits}}$` }, to: e164 },
    required: ['id', 'code'],
    additionalProperties: false,
  }) as const;

const resendBody = {
  type: 'object',
  properties: { id, channel },
  required: ['id'],
  additionalProperties: false,
} as const;

const pending = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    status: { type: 'string', const: 'pending' },
    to: { type: 'string' },
    channel,
    expiresAt: { type: 'string' },
    resendAt: { type: 'string' },
    attemptsLeft: { type: 'integer' },
  },
  required: ['id', 'status', 'to', 'channel', 'expiresAt', 'resendAt', 'attemptsLeft'],
} as const;

const approved = {
  type: 'object',
  properties: { status: { type: 'string', const: 'approved' }, to: { type: 'string' }, receipt: { type: 'string' } },
  required: ['status', 'to'],
} as const;

/** Proving phone numbers for other servers: ask, check, ask again. Nothing is stored; the id holds it all, sealed. */
export function registerVerifications(app: FastifyInstance, routes: VerificationRoutes): void {
  const { ports, codec, apiKeys, mask, receipt } = routes;
  const { clock, settings } = ports;
  const keyNames = new WeakMap<FastifyRequest, string>();

  /** Before anything else of the request is looked at; every refusal is the same. */
  const authenticate = async (request: FastifyRequest, reply: FastifyReply) => {
    const name = apiKeys.nameOf(request.headers.authorization, clock());
    if (name === null) {
      reply.header('www-authenticate', 'Bearer');
      throw new DoorcodeError('not_authenticated', { title: 'API key missing, unknown or expired' });
    }
    keyNames.set(request, name);
  };
  const keyOf = (request: FastifyRequest) => keyNames.get(request) ?? '';

  const open = (request: FastifyRequest, token: string): Verification | null => {
    const verification = parseVerification(openToken(codec, 'verification', token), clock(), settings.loginTtlSeconds);
    return verification?.key === keyOf(request) ? verification : null;
  };

  const answer = (request: FastifyRequest, reply: FastifyReply, { verification, resendAtMs }: Requested) => {
    const { channel, exp, id, phone, test } = verification;
    if (test) request.log.warn({ key: verification.key, verification: id }, 'test number: nothing was sent');
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

  const common = { onRequest: authenticate, errorHandler: answerJson };

  app.post<{ Body: FromSchema<typeof requestBody> }>(
    '/verifications',
    { ...common, schema: { body: requestBody, response: { 201: pending } } },
    async (request, reply) => {
      const { to, channel = ports.delivery.channels[0] ?? 'sms', locale } = request.body;
      const input = { key: keyOf(request), to, channel, locale: locale ?? preferredLanguage(request, localeNames) };
      return answer(request, reply, await requestVerification(ports, input));
    },
  );

  app.post<{ Body: FromSchema<ReturnType<typeof checkBody>> }>(
    '/verifications/check',
    { ...common, schema: { body: checkBody(settings.otpDigits), response: { 200: approved } } },
    async (request) => {
      const { id, code, to } = request.body;
      const verification = await checkVerification(ports, open(request, id), code, to);
      if (verification.test) {
        request.log.warn({ key: verification.key, verification: verification.id }, 'test number: approved');
      }
      const signed = receipt === undefined ? {} : { receipt: await receipt(verification, clock()) };
      return { status: 'approved', to: mask(verification.phone), ...signed };
    },
  );

  app.post<{ Body: FromSchema<typeof resendBody> }>(
    '/verifications/resend',
    { ...common, schema: { body: resendBody, response: { 201: pending } } },
    async (request, reply) => {
      const { id, channel } = request.body;
      return answer(request, reply, await resendVerification(ports, open(request, id), channel));
    },
  );
}
