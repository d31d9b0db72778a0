import { MAX_TARGET_LENGTH } from '../gateway/return-to.ts';
import type { Operation } from '../openapi/operation.ts';
import { languageQuery } from '../pages/language.ts';

// What the routes of the sign-in take and answer, and what the description of the API tells of them.

const channel = {
  type: 'string',
  enum: ['sms', 'voice'],
  description: 'a text message, or a call that speaks the code',
} as const;

export const loginBody = {
  type: 'object',
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 256, description: 'in any spelling' },
    password: { type: 'string', minLength: 1, maxLength: 1024 },
    channel,
    next: {
      type: 'string',
      maxLength: MAX_TARGET_LENGTH,
      description: 'where to go when signed in: a path on this origin, or a URL on one of `ALLOWED_RETURN_ORIGINS`',
    },
  },
  required: ['username', 'password'],
  additionalProperties: false,
  examples: [{ username: 'demo', password: 'demo' }],
} as const;

export const otpBody = (digits: number) =>
  ({
    type: 'object',
    properties: { otp: { type: 'string', pattern: `^[0-9]{${digits}}$`, description: 'the code that was sent' } },
    required: ['otp'],
    additionalProperties: false,
    examples: [{ otp: '4829150637'.slice(0, digits) }],
  }) as const;

export const resendBody = {
  type: 'object',
  properties: { channel },
  additionalProperties: false,
  examples: [{ channel: 'voice' }],
} as const;

export const otpSent = {
  type: 'object',
  properties: {
    status: { type: 'string', const: 'otp_sent' },
    channel,
    to: { type: 'string', description: 'all of the phone number that may be shown' },
    expiresAt: { type: 'string', format: 'date-time', description: "end of the code's life" },
    resendAt: { type: 'string', format: 'date-time', description: 'when the next code may be asked for' },
    attemptsLeft: { type: 'integer' },
  },
  required: ['status', 'channel', 'to', 'expiresAt', 'resendAt', 'attemptsLeft'],
  examples: [
    {
      status: 'otp_sent',
      channel: 'sms',
      to: '+1 ••• ••• ••00',
      expiresAt: '2030-01-01T00:01:00Z',
      resendAt: '2030-01-01T00:00:30Z',
      attemptsLeft: 5,
    },
  ],
} as const;

export const authenticated = {
  type: 'object',
  properties: {
    status: { type: 'string', const: 'authenticated' },
    user: { type: 'string', description: "the username in the directory's spelling" },
    expiresAt: { type: 'string', format: 'date-time', description: 'end of the session' },
    next: { type: 'string', description: 'where to go now' },
  },
  required: ['status', 'user', 'expiresAt', 'next'],
  examples: [{ status: 'authenticated', user: 'demo', expiresAt: '2030-01-01T12:00:00Z', next: '/' }],
} as const;

export const loginPage: Operation = {
  id: 'loginPage',
  group: 'sign-in',
  summary: 'The page that asks for the password',
  query: {
    type: 'object',
    properties: { next: loginBody.properties.next, rd: loginBody.properties.next, ...languageQuery.properties },
  },
  answers: {
    200: { description: 'The page', type: 'text/html', headers: ['Set-Cookie'] },
    303: {
      description: 'Signed in already: to `next`; a language was chosen: to the same page',
      headers: ['Location', 'Set-Cookie'],
    },
  },
  errors: ['redirect_loop'],
  failureHeaders: ['Set-Cookie'],
  credentials: { anyOf: ['session'], optional: true },
};

export const login: Operation = {
  id: 'login',
  group: 'sign-in',
  summary: 'Checks the password and sends a code',
  description: 'An unknown user, a wrong password and a locked account get the same answer.',
  answers: {
    200: { description: 'The code is on its way, the challenge cookie is set', headers: ['Set-Cookie'] },
    303: {
      description: 'For a browser: to `/otp`; when it failed, to the page that says why',
      headers: ['Location', 'Set-Cookie'],
    },
  },
  errors: [
    'invalid_credentials',
    'too_many_requests',
    'delivery_rejected',
    'delivery_failed',
    'directory_unavailable',
    'limits_unavailable',
    'overloaded',
  ],
};

export const otpPage: Operation = {
  id: 'otpPage',
  group: 'sign-in',
  summary: 'The page that asks for the code',
  query: languageQuery,
  answers: {
    200: {
      description: 'The page; it says so when the code has expired',
      type: 'text/html',
      headers: ['Set-Cookie'],
    },
    303: {
      description: 'No login is open: to `/login`, or to `/` when signed in; a language was chosen: to the same page',
      headers: ['Location', 'Set-Cookie'],
    },
  },
  credentials: { anyOf: ['challenge'], optional: true },
};

export const otp: Operation = {
  id: 'otp',
  group: 'sign-in',
  summary: 'Checks the code and signs in',
  answers: {
    200: {
      description: 'Signed in: the session cookie is set, the challenge cookie cleared',
      headers: ['Set-Cookie'],
    },
    303: {
      description: 'For a browser: to `next`; when it failed, to the page that says why',
      headers: ['Location', 'Set-Cookie'],
    },
  },
  errors: [
    'challenge_missing',
    'otp_invalid',
    'otp_used',
    'otp_expired',
    'otp_attempts_exhausted',
    'account_locked',
    'limits_unavailable',
  ],
  credentials: { anyOf: ['challenge'] },
};

export const resend: Operation = {
  id: 'resendOtp',
  group: 'sign-in',
  summary: 'Sends a new code',
  description: 'The old code is refused from then on. Without a channel, the new code goes the way of the old one.',
  answers: login.answers,
  errors: [
    'challenge_missing',
    'otp_used',
    'account_locked',
    'too_many_requests',
    'delivery_rejected',
    'delivery_failed',
    'limits_unavailable',
  ],
  credentials: { anyOf: ['challenge'] },
  bodyOptional: true,
};
