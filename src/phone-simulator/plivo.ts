import { randomUUID } from 'node:crypto';
import { isHttpUrl } from '../loopback.ts';
import { type Answer, type Channel, type Endpoint, isE164, type Order, type Reason, Refusal } from './provider.ts';
import { plivoSignatureV2, plivoSignatureV3 } from './signature.ts';

// Sources: plivo.com/docs/messaging/api/message, plivo.com/docs/voice/api/call, plivo.com/docs/voice/api/response.

const PATH = /^\/v1\/Account\/([\w-]{1,64})\/(Message|Call)\/?$/;

/** Longer texts are refused. */
const MAX_TEXT = 1600;

/** The fields that are taken, and the values that each may have. */
const FIELDS: Readonly<Record<Channel, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  sms: { src: isText, dst: isText, text: isText, type: is('sms'), url: isUrl, method: isMethod, log: isFlag },
  voice: {
    from: isText,
    to: isText,
    answer_url: isUrl,
    answer_method: isMethod,
    hangup_url: isUrl,
    hangup_method: isMethod,
    ring_url: isUrl,
    ring_method: isMethod,
    time_limit: isCount,
    ring_timeout: isCount,
    hangup_on_ring: isCount,
    caller_name: isText,
  },
};

const REQUIRED: Readonly<Record<Channel, readonly string[]>> = {
  sms: ['src', 'dst', 'text'],
  voice: ['from', 'to', 'answer_url'],
};

/** Plivo's API. @returns null when the path is none of it */
export function plivoEndpoint(path: string): Endpoint | null {
  const [, account, resource] = PATH.exec(path) ?? [];
  if (account === undefined) return null;
  const channel = resource === 'Call' ? 'voice' : 'sms';

  function read(contentType: string, body: string): Order {
    if (contentType !== 'application/json') throw refusal(415, 'Content-Type must be application/json');
    const fields = parseObject(body);
    if (fields === null) throw refusal(400, 'the body must be a JSON object');
    for (const [name, value] of Object.entries(fields)) {
      const check = Object.hasOwn(FIELDS[channel], name) ? FIELDS[channel][name] : undefined;
      if (check === undefined) throw refusal(400, `unknown field: ${name}`);
      if (!check(value)) throw refusal(400, `${name} is not valid`);
    }
    for (const name of REQUIRED[channel]) {
      if (fields[name] === undefined) throw refusal(400, `${name} parameter not present`);
    }
    const text = (name: string) => fields[name] as string;
    const [from, to] = channel === 'sms' ? [number('src'), number('dst')] : [number('from'), number('to')];
    function number(name: string): string {
      const e164 = text(name).replace(/^\+?/, '+');
      if (!isE164(e164)) throw refusal(400, `${name}: ${text(name)} is not a valid phone number`);
      return e164;
    }
    const method = (name: string) => (fields[name] === 'GET' ? 'GET' : 'POST');
    if (channel === 'voice') {
      return { to, from, text: '', answer: { url: text('answer_url'), method: method('answer_method') } };
    }
    if (text('text').length > MAX_TEXT) throw refusal(400, `text exceeds ${MAX_TEXT} characters`);
    const receipt = { url: text('url'), method: method('method'), events: ['sent', 'delivered'] } as const;
    return { to, from, text: text('text'), ...(fields['url'] === undefined ? {} : { receipt }) };
  }

  return {
    provider: 'plivo',
    channel,
    account,
    read,
    refuse: (reason, to) => refusals[reason](to ?? ''),
    newId: randomUUID,
    accept: (_order, id) =>
      channel === 'sms'
        ? { status: 202, body: { message: 'message(s) queued', message_uuid: [id], api_id: randomUUID() } }
        : { status: 201, body: { message: 'call fired', request_uuid: id, api_id: randomUUID() } },

    pickUp({ answer, from, to }, id, { token }) {
      if (answer === undefined) return null;
      const { url, method } = answer;
      const nonce = randomUUID();
      const fields = {
        CallUUID: id,
        RequestUUID: id,
        // Plivo writes numbers without the plus.
        From: from.slice(1),
        To: to.slice(1),
        CallStatus: 'in-progress',
        Direction: 'outbound',
        Event: 'StartApp',
      };
      const headers = {
        'x-plivo-signature-v3': plivoSignatureV3(token, method, url, fields, nonce),
        'x-plivo-signature-v3-nonce': nonce,
      };
      return { url: method === 'GET' ? withQuery(url, fields) : url, method, fields, headers };
    },

    receipts({ receipt, from, to }, id, delivered, { token }) {
      if (receipt === undefined) return [];
      const { url, method } = receipt;
      const common = {
        MessageUUID: id,
        ParentMessageUUID: id,
        PartInfo: '1 of 1',
        From: from.slice(1),
        To: to.slice(1),
      };
      const last = delivered ? { Status: 'delivered' } : { Status: 'undelivered', ErrorCode: '30' };
      return [{ Status: 'sent' }, last].map((status) => {
        const fields = { ...common, ...status };
        const nonce = randomUUID();
        const headers = {
          'x-plivo-signature-v2': plivoSignatureV2(token, url, nonce),
          'x-plivo-signature-v2-nonce': nonce,
        };
        return { url: method === 'GET' ? withQuery(url, fields) : url, method, fields, headers };
      });
    },
  };
}

const refusals: Readonly<Record<Reason, (to: string) => Answer>> = {
  credentials: () => ({
    ...failure(401, 'authentication failed'),
    headers: { 'www-authenticate': 'Basic realm="Plivo API"' },
  }),
  method: () => ({ ...failure(405, 'method not allowed: POST this resource'), headers: { allow: 'POST' } }),
  too_large: () => failure(413, 'the request is too large'),
  rejected: (to) => failure(400, `${to} is not a valid phone number`),
  opted_out: (to) => failure(400, `${to} has opted out`),
  too_many_requests: () => ({ ...failure(429, 'too many requests'), headers: { 'retry-after': '1' } }),
};

function withQuery(url: string, fields: Readonly<Record<string, string>>): string {
  return `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(fields)}`;
}

function failure(status: number, error: string): Answer {
  return { status, body: { api_id: randomUUID(), error } };
}

function refusal(status: number, error: string): Refusal {
  return new Refusal(failure(status, error));
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && isHttpUrl(value);
}

function isMethod(value: unknown): boolean {
  return value === 'GET' || value === 'POST';
}

/** JSON has booleans and numbers, but Plivo's own libraries send some of them as text. */
function isFlag(value: unknown): boolean {
  return typeof value === 'boolean' || value === 'true' || value === 'false';
}

function isCount(value: unknown): boolean {
  return /^\d{1,6}$/.test(String(value)) && (typeof value === 'number' || typeof value === 'string');
}

function is(expected: string): (value: unknown) => boolean {
  return (value) => value === expected;
}
