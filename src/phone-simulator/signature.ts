import { createHmac } from 'node:crypto';
import type { Method } from './provider.ts';

type Fields = Readonly<Record<string, string>>;

/**
 * What Twilio and SignalWire sign a callback with (twilio.com/docs/usage/webhooks/webhooks-security): the URL as it was
 * given, then the form fields by name, each name with its value behind it.
 */
export function compatibilitySignature(key: string, url: string, fields: Fields): string {
  return createHmac('sha1', key)
    .update(url + joined(fields, ''))
    .digest('base64');
}

/** Plivo's for messages, `X-Plivo-Signature-V2`: the URL without its query, then the nonce. */
export function plivoSignatureV2(key: string, url: string, nonce: string): string {
  return createHmac('sha256', key)
    .update(baseOf(url) + nonce)
    .digest('base64');
}

/**
 * Plivo's for calls, `X-Plivo-Signature-V3`, as its own libraries check it: the URL with its query sorted, the form
 * fields sorted, the nonce. The fields of a GET are in its query.
 */
export function plivoSignatureV3(key: string, method: Method, url: string, fields: Fields, nonce: string): string {
  const query = Object.fromEntries(new URL(url).searchParams);
  const asked = joined(method === 'GET' ? { ...query, ...fields } : query, '=', '&');
  const form = method === 'GET' ? '' : joined(fields, '');
  const mark = asked !== '' || form !== '' ? '?' : '';
  const dot = asked !== '' && form !== '' ? '.' : '';
  return createHmac('sha256', key)
    .update(`${baseOf(url)}${mark}${asked}${dot}${form}.${nonce}`)
    .digest('base64');
}

function baseOf(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

function joined(fields: Fields, between: string, separator = ''): string {
  return Object.keys(fields)
    .toSorted()
    .map((name) => name + between + fields[name])
    .join(separator);
}
