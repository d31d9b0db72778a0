import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Whether a request of SignalWire's or Twilio's comes from who holds the key: base64 of HMAC-SHA-1 over the URL as the
 * provider called it, followed by each form field's name and value, fields sorted by name
 * (twilio.com/docs/usage/webhooks/webhooks-security; SignalWire signs alike).
 *
 * @param header of `X-Twilio-Signature` or `X-SignalWire-Signature`; undefined when there is none
 * @param url as it was given to the provider, which need not be how the request looks behind a gateway
 * @param fields the form's; every one of them, also those that nobody here knows
 * @param key the account's auth token (Twilio), or the project's signing key (SignalWire)
 */
export function isReceiptSigned(
  header: string | undefined,
  url: string,
  fields: Readonly<Record<string, string>>,
  key: string,
): boolean {
  const given = Buffer.from(header ?? '');
  const signed = Object.keys(fields)
    .sort()
    .map((name) => name + fields[name])
    .join('');
  return [url, withPort(url)].some((spelling) => {
    const mac = createHmac('sha1', key).update(spelling + signed);
    const expected = Buffer.from(mac.digest('base64'));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** Whether the port is part of what is signed differs between their products, so both are looked at, as in their SDKs. */
function withPort(url: string): string {
  const { protocol, port, origin } = new URL(url);
  return port === '' ? `${origin}:${protocol === 'https:' ? 443 : 80}${url.slice(origin.length)}` : url;
}
