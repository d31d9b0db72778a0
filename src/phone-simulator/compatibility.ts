import { randomBytes, randomUUID } from 'node:crypto';
import { isHttpUrl } from '../loopback.ts';
import { callEvents, compatibilityReceipts } from './compatibility-receipts.ts';
import { type Answer, type Channel, type Endpoint, isE164, type Order, type Reason, Refusal } from './provider.ts';
import { readSpoken } from './spoken.ts';

// Sources: twilio.com/docs/messaging/api/message-resource, twilio.com/docs/voice/api/call-resource,
// twilio.com/docs/api/errors; developer.signalwire.com/rest/compatibility-api.

const PATH = /^(?:\/api\/laml)?\/2010-04-01\/Accounts\/([\w-]{1,64})\/(Messages|Calls)\.json$/;
/** SignalWire's projects have ids of another form. */
const TWILIO_ACCOUNT = /^AC[\da-f]{32}$/;
const FORM = 'application/x-www-form-urlencoded';

/** Longer texts are refused, however many segments the sender would pay for. */
const MAX_BODY = 1600;

const FIELDS: Readonly<Record<Channel, readonly string[]>> = {
  sms: ['To', 'From', 'Body', 'StatusCallback'],
  voice: ['To', 'From', 'Twiml', 'StatusCallback', 'StatusCallbackMethod', 'StatusCallbackEvent'],
};

/** What each channel says of a field that is not there. */
const MISSING: Readonly<Record<Channel, Readonly<Record<string, number>>>> = {
  sms: { To: 21604, From: 21603, Body: 21602 },
  voice: { To: 21201, From: 21213, Twiml: 21205 },
};

/**
 * The API that SignalWire and Twilio have in common. They differ in the form of their ids, in how they refuse a number,
 * and in the header that their callbacks are signed in.
 *
 * @returns null when the path is none of this API
 */
export function compatibilityEndpoint(path: string): Endpoint | null {
  const [, account, resource] = PATH.exec(path) ?? [];
  if (account === undefined) return null;
  const provider = TWILIO_ACCOUNT.test(account) ? 'twilio' : 'signalwire';
  const channel = resource === 'Calls' ? 'voice' : 'sms';
  const numberFault =
    provider === 'signalwire' ? { status: 422, code: 21217 } : { status: 400, code: channel === 'sms' ? 21211 : 21217 };

  function refuse(reason: Reason, to = ''): Answer {
    switch (reason) {
      case 'credentials':
        return {
          ...failure(401, 20003, 'Authenticate'),
          headers: { 'www-authenticate': 'Basic realm="Twilio API"' },
        };
      case 'method':
        return { ...failure(405, 20004, 'Method not allowed: POST this resource'), headers: { allow: 'POST' } };
      case 'too_large':
        return failure(413, 20413, 'Request entity too large');
      case 'rejected':
        return failure(numberFault.status, numberFault.code, `The 'To' number ${to} is not a valid phone number.`);
      case 'opted_out':
        return failure(400, 21610, `Attempt to send to unsubscribed recipient ${to}`);
      case 'too_many_requests':
        return { ...failure(429, 20429, 'Too Many Requests'), headers: { 'retry-after': '1' } };
    }
  }

  function read(contentType: string, body: string): Order {
    if (contentType !== FORM) throw refusal(415, 20415, `Content-Type must be ${FORM}`);
    const form = new URLSearchParams(body);
    for (const name of new Set(form.keys())) {
      if (channel === 'voice' && name === 'Url') {
        throw refusal(400, 20001, 'Url: the simulator fetches no instructions; send them in Twiml');
      }
      if (!FIELDS[channel].includes(name)) throw refusal(400, 20001, `Unknown field: ${name}`);
      if (name !== 'StatusCallbackEvent' && form.getAll(name).length > 1) {
        throw refusal(400, 20001, `${name} is given more than once`);
      }
    }
    const required = (name: string) => {
      const value = form.get(name) ?? '';
      if (value === '') throw refusal(400, MISSING[channel][name] ?? 20001, `The '${name}' field is required.`);
      return value;
    };
    const to = required('To');
    const from = required('From');
    if (!isE164(to)) throw new Refusal(refuse('rejected', to));
    if (!isE164(from)) throw refusal(400, 21212, `The 'From' number ${from} is not a valid phone number.`);
    if (to === from) throw refusal(400, 21266, `'To' and 'From' number cannot be the same: ${to}`);
    const words = channel === 'sms' ? { text: required('Body') } : readSpoken(required('Twiml'), 'Say');
    if (words === null) throw refusal(400, 12100, 'Twiml: must be a Response with Say in it, and pauses');
    if (words.text.length > MAX_BODY) throw refusal(400, 21617, `The text exceeds ${MAX_BODY} characters.`);
    const receipt = readReceipt(form);
    return { to, from, ...words, ...(receipt === null ? {} : { receipt }) };
  }

  function readReceipt(form: URLSearchParams): NonNullable<Order['receipt']> | null {
    const url = form.get('StatusCallback');
    const method = form.get('StatusCallbackMethod') ?? 'POST';
    const asked = form.getAll('StatusCallbackEvent');
    if (method !== 'GET' && method !== 'POST') throw refusal(400, 21209, 'StatusCallbackMethod must be GET or POST');
    const unknown = asked.find((event) => !callEvents.includes(event));
    if (unknown !== undefined) throw refusal(400, 20001, `StatusCallbackEvent: there is no event ${unknown}`);
    if (url === null) return null;
    if (!isHttpUrl(url)) throw refusal(400, 21609, 'StatusCallback is not a valid URL');
    const events = channel === 'sms' ? ['sent', 'delivered'] : asked.length > 0 ? asked : ['completed'];
    return { url, method, events };
  }

  return {
    provider,
    channel,
    account,
    read,
    refuse,
    newId: () =>
      provider === 'signalwire' ? randomUUID() : `${channel === 'sms' ? 'SM' : 'CA'}${randomBytes(16).toString('hex')}`,
    accept: (order, id, nowMs) => ({ status: 201, body: resourceOf(path, account, channel, order, id, nowMs) }),
    pickUp: () => null,
    receipts: (order, id, delivered, keys) =>
      compatibilityReceipts({ provider, channel, account }, order, id, delivered, keys),
  };
}

function resourceOf(path: string, account: string, channel: Channel, order: Order, id: string, nowMs: number): object {
  const now = new Date(nowMs).toUTCString().replace('GMT', '+0000');
  const uri = path.replace(/\.json$/, `/${id}.json`);
  return {
    sid: id,
    account_sid: account,
    api_version: '2010-04-01',
    to: order.to,
    from: order.from,
    status: 'queued',
    direction: 'outbound-api',
    date_created: now,
    date_updated: now,
    price: null,
    price_unit: 'USD',
    uri,
    ...(channel === 'sms'
      ? {
          body: order.text,
          date_sent: null,
          error_code: null,
          error_message: null,
          messaging_service_sid: null,
          num_media: '0',
          subresource_uris: { media: uri.replace(/\.json$/, '/Media.json') },
        }
      : { answered_by: null, duration: null, start_time: null, end_time: null, parent_call_sid: null }),
  };
}

function failure(status: number, code: number, message: string): Answer {
  return { status, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

function refusal(status: number, code: number, message: string): Refusal {
  return new Refusal(failure(status, code, message));
}
