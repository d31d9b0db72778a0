import type { Operation } from '../openapi/operation.ts';
import { languageQuery } from '../pages/language.ts';

// What the routes of the session take and answer, and what the description of the API tells of them.

export const sessionAnswer = {
  type: 'object',
  properties: {
    user: { type: 'string' },
    authenticatedAt: { type: 'string', format: 'date-time' },
    expiresAt: { type: 'string', format: 'date-time' },
    amr: { type: 'array', items: { type: 'string' }, description: 'how the user signed in (RFC 8176)' },
  },
  required: ['user', 'authenticatedAt', 'expiresAt', 'amr'],
  examples: [
    {
      user: 'demo',
      authenticatedAt: '2030-01-01T00:00:00Z',
      expiresAt: '2030-01-01T12:00:00Z',
      amr: ['pwd', 'otp', 'sms'],
    },
  ],
} as const;

export const signedOut = {
  type: 'object',
  properties: { status: { type: 'string', const: 'signed_out' } },
  required: ['status'],
  examples: [{ status: 'signed_out' }],
} as const;

export const emptyBody = { type: 'object', additionalProperties: false, examples: [{}] } as const;

export const session: Operation = {
  id: 'session',
  group: 'session',
  summary: 'Who is signed in, since when, until when, and how',
  // A session that is used is renewed where SESSION_IDLE_TTL is set.
  answers: { 200: { description: 'Signed in', headers: ['Set-Cookie'] } },
  errors: ['not_authenticated'],
  credentials: { anyOf: ['session'] },
};

export const home: Operation = {
  id: 'home',
  group: 'session',
  summary: 'The page for the signed-in',
  query: languageQuery,
  answers: {
    200: { description: 'The page', type: 'text/html', headers: ['Set-Cookie'] },
    303: {
      description: 'Not signed in: to `/login`; a language was chosen: to the same page',
      headers: ['Location', 'Set-Cookie'],
    },
  },
  credentials: { anyOf: ['session'], optional: true },
};

export const logout: Operation = {
  id: 'logout',
  group: 'session',
  summary: 'Revokes the session and clears the cookies',
  description: 'The cookies are cleared even when the session could not be revoked. An open login ends as well.',
  answers: {
    200: { description: 'Signed out', headers: ['Set-Cookie'] },
    303: { description: 'The same, for a browser: to `/login`', headers: ['Location', 'Set-Cookie'] },
  },
  errors: ['limits_unavailable'],
  failureHeaders: ['Set-Cookie'],
  credentials: { anyOf: ['session', 'challenge'], optional: true },
  bodyOptional: true,
};
