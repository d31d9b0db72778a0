import type { Operation } from '../openapi/operation.ts';

// What the routes of the verifications take and answer, and what the description of the API tells of them.

const channel = {
  type: 'string',
  enum: ['sms', 'voice'],
  description: 'a text message, or a call that speaks the code',
} as const;
const e164 = { type: 'string', pattern: '^\\+[1-9][0-9]{6,14}$', description: 'a phone number, E.164' } as const;
const id = { type: 'string', minLength: 1, maxLength: 511, description: 'as the last answer gave it' } as const;
const masked = { type: 'string', description: 'all of the phone number that may be shown' } as const;

/** Sealed, so nobody can make up a real one. */
const EXAMPLE_ID = 'W8kZl2nN1m0Yc3…';

export const requestBody = {
  type: 'object',
  properties: {
    to: e164,
    channel,
    locale: {
      type: 'string',
      pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$',
      description: 'language of the message (BCP 47); without it, by Accept-Language',
    },
  },
  required: ['to'],
  additionalProperties: false,
  examples: [{ to: '+15550100001' }],
} as const;

export const checkBody = (digits: number) =>
  ({
    type: 'object',
    properties: {
      id,
      code: { type: 'string', pattern: `^[0-9]{${digits}}$`, description: 'as the user typed it' },
      to: { ...e164, description: 'the number that is meant; with another one than the code went to, it is refused' },
    },
    required: ['id', 'code'],
    additionalProperties: false,
    examples: [{ id: EXAMPLE_ID, code: '4829150637'.slice(0, digits) }],
  }) as const;

export const resendBody = {
  type: 'object',
  properties: { id, channel },
  required: ['id'],
  additionalProperties: false,
  examples: [{ id: EXAMPLE_ID, channel: 'voice' }],
} as const;

export const pending = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'keep it: the verification itself, sealed' },
    status: { type: 'string', const: 'pending' },
    to: masked,
    channel,
    expiresAt: { type: 'string', format: 'date-time', description: "end of the code's life" },
    resendAt: { type: 'string', format: 'date-time', description: 'when the next code may be asked for' },
    attemptsLeft: { type: 'integer' },
  },
  required: ['id', 'status', 'to', 'channel', 'expiresAt', 'resendAt', 'attemptsLeft'],
  examples: [
    {
      id: EXAMPLE_ID,
      status: 'pending',
      to: '+1 ••• ••• ••01',
      channel: 'sms',
      expiresAt: '2030-01-01T00:01:00Z',
      resendAt: '2030-01-01T00:00:30Z',
      attemptsLeft: 5,
    },
  ],
} as const;

export const approved = {
  type: 'object',
  properties: {
    status: { type: 'string', const: 'approved' },
    to: masked,
    receipt: { type: 'string', description: 'a signed statement that the number was proved, where there is a key' },
  },
  required: ['status', 'to'],
  examples: [{ status: 'approved', to: '+1 ••• ••• ••01' }],
} as const;

const common = { group: 'verifications', jsonOnly: true, credentials: { anyOf: ['apiKey'] } } as const;

const SENDING = [
  'not_authenticated',
  'too_many_requests',
  'delivery_rejected',
  'delivery_failed',
  'limits_unavailable',
] as const;

export const request: Operation = {
  ...common,
  id: 'requestVerification',
  summary: 'Sends a code to a number',
  answers: { 201: { description: 'The code is on its way' } },
  errors: SENDING,
};

export const check: Operation = {
  ...common,
  id: 'checkVerification',
  summary: 'Checks the code that the user typed',
  answers: { 200: { description: 'The code is right: the number is proved' } },
  errors: [
    'not_authenticated',
    'challenge_missing',
    'otp_invalid',
    'otp_used',
    'otp_expired',
    'otp_attempts_exhausted',
    'account_locked',
    'limits_unavailable',
  ],
};

export const resend: Operation = {
  ...common,
  id: 'resendVerification',
  summary: 'Sends a new code, with a new id',
  description: 'The old id and its code are refused from then on.',
  answers: { 201: { description: 'The new code is on its way' } },
  errors: ['challenge_missing', 'otp_used', 'account_locked', ...SENDING],
};
