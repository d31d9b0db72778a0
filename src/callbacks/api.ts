import type { Operation } from '../openapi/operation.ts';

// What the callbacks take and answer, and what the description of the API tells of them.

export const answerQuery = {
  type: 'object',
  properties: {
    token: { type: 'string', minLength: 1, maxLength: 512, description: 'stands for the code, sealed; good once' },
  },
  required: ['token'],
  additionalProperties: false,
} as const;

export const answerCall: Operation = {
  id: 'answerPlivoCall',
  group: 'callbacks',
  summary: 'The words of a call, for Plivo to speak',
  answers: { 200: { description: "Plivo's XML", type: 'application/xml' } },
  errors: ['not_found', 'limits_unavailable'],
};

export const receipt = (provider: 'SignalWire' | 'Twilio'): Operation => ({
  id: `take${provider}Receipt`,
  group: 'callbacks',
  summary: `What became of a message or a call, told by ${provider}`,
  description: `Signed by ${provider}, in a header; it goes to the log.`,
  form: {
    type: 'object',
    properties: {
      MessageSid: { type: 'string' },
      MessageStatus: { type: 'string' },
      CallSid: { type: 'string' },
      CallStatus: { type: 'string' },
      ErrorCode: { type: 'string' },
    },
    additionalProperties: { type: 'string' },
    examples: [{ MessageSid: 'SM1', MessageStatus: 'delivered' }],
  },
  answers: { 204: { description: 'Noted' } },
  errors: ['not_authenticated'],
});
