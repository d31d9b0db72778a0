import { type Trace, traceHeaders } from '../trace.ts';
import type { Reach } from './http-agent.ts';
import { createProviderHttp, providerOrigin } from './provider-http.ts';
import { DeliveryError, type Message, type Receipt, type Sender } from './sender.ts';

export interface PlivoSenderOptions extends Reach {
  /** Full host name, a port allowed: `api.plivo.com`. */
  readonly host: string;
  readonly authId: string;
  readonly authToken: string;
  /** The number that messages and calls come from, E.164. */
  readonly from: string;
  /** Where Plivo asks, once a call is answered, what to say; must not show the code. */
  readonly answerUrl: (message: Message) => string;
}

/**
 * Sends by Plivo's REST API (docs.plivo.com: Messages, Calls). A text message goes out as it is; for a call, which
 * Plivo takes instructions for from a URL only, it is handed one that the words can be fetched from once.
 *
 * @throws Error when `host` is not a host name with or without a port
 */
export function createPlivoSender(options: PlivoSenderOptions): Sender {
  const { host, authId, authToken, from, answerUrl, connect, proxies } = options;
  const http = createProviderHttp(providerOrigin('plivo', host), { connect, proxies });

  async function create(
    resource: 'Message' | 'Call',
    fields: object,
    { to, trace }: { readonly to: string; readonly trace?: Trace | undefined },
    signal: AbortSignal,
  ) {
    const { status, body } = await http.post(
      {
        path: `/v1/Account/${encodeURIComponent(authId)}/${resource}/`,
        username: authId,
        password: authToken,
        headers: { ...traceHeaders(trace), 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(fields),
      },
      signal,
    );
    if (status < 200 || status > 299) throw refusalOf(status, body, to);
    return (body ?? {}) as Readonly<Record<string, unknown>>;
  }

  async function sendText(message: Message, signal: AbortSignal): Promise<Receipt> {
    const { to, text } = message;
    const { message_uuid: ids } = await create('Message', { src: from, dst: to, text }, message, signal);
    return receipt(Array.isArray(ids) ? ids[0] : ids);
  }

  async function call(message: Message, signal: AbortSignal): Promise<Receipt> {
    const { to } = message;
    const fields = { from, to, answer_url: answerUrl(message), answer_method: 'POST' };
    const { request_uuid: id } = await create('Call', fields, message, signal);
    return receipt(id);
  }

  return {
    name: 'plivo',
    channels: ['sms', 'voice'],
    send: (message, signal) => (message.channel === 'sms' ? sendText : call)(message, signal),
    close: () => http.close(),
  };
}

/** A 2xx without an id is not the API speaking but a proxy, or a wrong host. */
function receipt(id: unknown): Receipt {
  if (typeof id !== 'string' || id === '') throw new DeliveryError('temporary', 'bad_response');
  return { sender: 'plivo', id };
}

// docs.plivo.com, "Destination number validation": 400 with `"error": "19332631167 is not a valid phone number"`, or
// `… is not an MMS enabled phone number`. Plivo has no numbers for its errors, so the words have to do; that they name
// the number we sent to keeps a fault of our own number apart. How it words an opt-out is not documented.
const NUMBER_REFUSED =
  /^\+?(?<number>\d+) (?:is not (?:a valid|an? \w+ enabled) phone number|(?:has|is) (?:opted out|unsubscribed))/;

/** What an answer other than 2xx means. Its text quotes the phone number, and must not travel on. */
function refusalOf(status: number, body: object | null, to: string): DeliveryError {
  const error = body !== null && 'error' in body && typeof body.error === 'string' ? body.error : '';
  const refused = NUMBER_REFUSED.exec(error)?.groups?.['number'];
  if (status === 400 && refused === to.slice(1)) return new DeliveryError('permanent', 'number');
  if (status === 400 && refused !== undefined) return new DeliveryError('temporary', 'sender_number');
  if (status === 401 || status === 403) return new DeliveryError('temporary', 'credentials');
  return new DeliveryError('temporary', `http_${status}`);
}
