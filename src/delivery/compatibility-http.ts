import { rejectionOf } from './compatibility-errors.ts';
import type { Reach } from './http-agent.ts';
import { createProviderHttp } from './provider-http.ts';
import { DeliveryError } from './sender.ts';

/** What the SDK hands to its HTTP client (`lib/rest/Twilio.js`, `request`), as far as we read it. */
export interface SdkRequest {
  readonly method: 'POST';
  readonly uri: string;
  readonly username: string;
  readonly password: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Form fields; the SDK leaves out those that are not set. */
  readonly data: Readonly<Record<string, string>>;
}

/** What the SDK expects back: it takes a parsed body as it is. */
export interface SdkResponse {
  readonly statusCode: number;
  readonly body: Created;
}

/** A message or call that the provider has taken on. */
export interface Created {
  readonly sid: string;
}

export interface CompatibilityHttp {
  /** @throws DeliveryError for every answer other than a created resource, and every failure of the exchange */
  request(request: SdkRequest, signal: AbortSignal): Promise<SdkResponse>;
  close(): Promise<void>;
}

/**
 * The HTTP client that the SDK is given in place of its own, which opens a TLS connection for each message, waits
 * 30 seconds, and cannot be aborted. Judges the answer before the SDK sees it, because the SDK's `RestException`
 * carries the provider's message (and with it the phone number), and throws a SyntaxError over an HTML body.
 *
 * @param origin `https://host[:port]`. Only the path is taken from the SDK: it rewrites the host by its own ideas of
 *   regions (`Twilio.prototype.getHostname` turns `a.b.c.d.example.com` into `a.b.c.example.com`).
 */
export function createCompatibilityHttp(origin: string, reach?: Reach): CompatibilityHttp {
  const http = createProviderHttp(origin, reach);

  return {
    async request({ uri, username, password, headers, data }, signal) {
      const form = new URLSearchParams(data).toString();
      const { status, body } = await http.post(
        { path: new URL(uri).pathname, username, password, headers, body: form },
        signal,
      );
      if (status < 200 || status > 299) throw rejectionOf(status, body);
      // A 2xx that names no resource is not the API speaking but a proxy, or a wrong host. If a message went out all
      // the same, trying on costs a duplicate of the same code; believing it would lose every code without a sound.
      if (!isCreated(body)) throw new DeliveryError('temporary', 'bad_response');
      // The SDK parses whatever else there is, dates among it, and nobody here looks at it.
      return { statusCode: status, body: { sid: body.sid } };
    },
    close: () => http.close(),
  };
}

function isCreated(body: object | null): body is Created {
  return body !== null && 'sid' in body && typeof body.sid === 'string' && body.sid !== '';
}
