import type { FastifyInstance } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Message } from '../delivery/sender.ts';
import { plivoDialect } from '../delivery/voice.ts';
import { DoorcodeError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { Codec } from '../seal/codec.ts';
import * as api from './api.ts';
import { openCall } from './call-token.ts';
import { isReceiptSigned } from './receipt-signature.ts';

/** Providers that say what became of a message. */
export type ReceiptSender = 'signalwire' | 'twilio';

/** Where each provider calls back, below our origin. */
export const receiptPath = (sender: ReceiptSender) => `/callbacks/${sender}/status`;
export const ANSWER_PATH = '/callbacks/plivo/answer';

export interface CallbackRoutes {
  readonly events: Events;
  readonly codec: Codec;
  readonly clock: Clock;
  /** Our own, as providers know it; how their requests look behind a gateway does not matter. */
  readonly origin: string;
  /** Puts a code into words. */
  readonly compose: (outgoing: Omit<Message, 'text'>) => Message;
  /** Tells whether a call's words are fetched for the first time. */
  readonly claimCall: (id: string, untilSeconds: number) => Promise<boolean>;
  /** Whether Plivo is among the senders. */
  readonly plivo: boolean;
  /** What each provider signs with; those without a key send no receipts. */
  readonly receiptKeys: Readonly<Partial<Record<ReceiptSender, string>>>;
}

/** What providers call back for: the words of a call, and what became of a message. */
export function registerCallbacks(app: FastifyInstance, routes: CallbackRoutes): void {
  const { events, codec, clock, origin, compose, claimCall, plivo, receiptKeys } = routes;

  if (plivo) {
    app.post<{ Querystring: { token: string } }>(
      ANSWER_PATH,
      { schema: { querystring: api.answerQuery }, config: { operation: api.answerCall } },
      async (request, reply) => {
        const call = openCall(codec, request.query.token, clock());
        if (call === null || !(await claimCall(call.id, call.exp))) throw new DoorcodeError('not_found');
        const { code, locale, exp: expiresAt } = call;
        const message = compose({ channel: 'voice', to: '', code, locale, expiresAt });
        return reply
          .type('application/xml; charset=utf-8')
          .send(
            '<?xml version="1.0" encoding="UTF-8"?>' +
              `<Response><Speak language="${plivoDialect(message.locale)}">${escapeXml(message.text)}</Speak></Response>`,
          );
      },
    );
  }

  for (const sender of ['signalwire', 'twilio'] as const) {
    const key = receiptKeys[sender];
    if (key === undefined) continue;
    const url = origin + receiptPath(sender);
    const operation = api.receipt(sender === 'signalwire' ? 'SignalWire' : 'Twilio');
    app.post(receiptPath(sender), { config: { operation } }, async (request, reply) => {
      const { 'x-signalwire-signature': own, 'x-twilio-signature': common } = request.headers;
      const signature = (sender === 'signalwire' ? own : undefined) ?? common;
      const fields = formFields(request.body);
      if (fields === null || !isReceiptSigned([signature].flat()[0], url, fields, key)) {
        throw new DoorcodeError('not_authenticated', { title: 'Signature missing or wrong' });
      }
      const receipt = receiptOf(fields);
      request.log.info({ sender, ...receipt }, 'delivery receipt');
      events({ type: 'receipt', sender, channel: receipt.channel, status: receipt.status });
      return reply.code(204).send();
    });
  }
}

/** The fields of a form, or null for anything else; a field that is there twice cannot have been signed. */
function formFields(body: unknown): Readonly<Record<string, string>> | null {
  if (typeof body !== 'object' || body === null) return null;
  return Object.values(body).every((value) => typeof value === 'string') ? (body as Record<string, string>) : null;
}

/** What is told of a receipt: numbers and texts, which it also holds, are left out by taking nothing else. */
function receiptOf({ MessageSid, MessageStatus, CallSid, CallStatus, ErrorCode }: Readonly<Record<string, string>>) {
  return {
    channel: CallSid === undefined ? ('sms' as const) : ('voice' as const),
    id: word(MessageSid ?? CallSid),
    status: word(MessageStatus ?? CallStatus),
    errorCode: word(ErrorCode),
  };
}

/** Words of the provider's own: ids, states, error codes. */
function word(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w-]{1,64}$/.test(text) ? text : undefined;
}

function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
