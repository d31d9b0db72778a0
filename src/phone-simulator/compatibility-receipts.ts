import type { Callback, Endpoint, Method, Order, SigningKeys } from './provider.ts';
import { compatibilitySignature } from './signature.ts';

type Fields = Readonly<Record<string, string>>;
type Sign = (url: string, fields: Fields) => Fields;

/** The events of a call, in turn, and the status that each is told with. */
const ANSWERED: Fields = {
  initiated: 'initiated',
  ringing: 'ringing',
  answered: 'in-progress',
  completed: 'completed',
};

/** Nobody picked up. */
const UNANSWERED: Fields = { initiated: 'initiated', ringing: 'ringing', completed: 'no-answer' };

/** What a service may ask to be told of a call. */
export const callEvents: readonly string[] = Object.keys(ANSWERED);

/** What SignalWire and Twilio tell of a message or call afterwards, in turn, each signed in their headers. */
export function compatibilityReceipts(
  { provider, channel, account }: Pick<Endpoint, 'provider' | 'channel' | 'account'>,
  { receipt, from, to }: Order,
  id: string,
  delivered: boolean,
  { token, signingKey }: SigningKeys,
): Callback[] {
  if (receipt === undefined) return [];
  const sign: Sign = (url, fields) => {
    if (provider === 'twilio') return { 'x-twilio-signature': compatibilitySignature(token, url, fields) };
    const signature = compatibilitySignature(signingKey, url, fields);
    return { 'x-signalwire-signature': signature, 'x-twilio-signature': signature };
  };
  const common = { AccountSid: account, ApiVersion: '2010-04-01', From: from, To: to };
  const told = channel === 'sms' ? messageStatuses(id, delivered) : callStatuses(id, receipt.events, delivered);
  return told.map((fields) => callbackOf(receipt, { ...common, ...fields }, sign));
}

/** GET carries the fields in the query, and then the signed URL holds them already. */
function callbackOf({ url, method }: { url: string; method: Method }, fields: Fields, sign: Sign): Callback {
  if (method === 'POST') return { url, method, fields, headers: sign(url, fields) };
  const full = `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(fields)}`;
  return { url: full, method, fields: {}, headers: sign(full, {}) };
}

function messageStatuses(id: string, delivered: boolean): Fields[] {
  const last = delivered ? { MessageStatus: 'delivered' } : { MessageStatus: 'undelivered', ErrorCode: '30003' };
  return [{ MessageStatus: 'sent' }, last].map((fields) => ({
    MessageSid: id,
    SmsSid: id,
    SmsStatus: fields.MessageStatus,
    ...fields,
  }));
}

function callStatuses(id: string, events: readonly string[], answered: boolean): Fields[] {
  return Object.entries(answered ? ANSWERED : UNANSWERED)
    .filter(([event]) => events.includes(event))
    .map(([, CallStatus]) => ({ CallSid: id, CallStatus, Direction: 'outbound-api' }));
}
