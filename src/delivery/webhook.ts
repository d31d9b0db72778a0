import type { EventEmitter } from 'node:events';
import type { Dispatcher } from 'undici';
import { type Clock, isoSeconds } from '../clock.ts';
import type { ProxySettings } from '../proxy-config.ts';
import { type Trace, traceHeaders } from '../trace.ts';
import { abortable } from './abortable.ts';
import { createGate } from './gate.ts';
import { connectionFree, createHttpAgent, maxConnections, maxResponseBytes } from './http-agent.ts';
import { networkError } from './network-error.ts';
import { DeliveryError, type Message, type Sender } from './sender.ts';
import { sign } from './webhook-signature.ts';

export interface WebhookSenderOptions {
  /** Absolute, http or https. */
  readonly url: string;
  readonly secret: string;
  readonly clock: Clock;
  /** Direct connections when absent. */
  readonly proxies?: ProxySettings;
  /** undici; one of our own by default, which `close` closes. One that is handed in stays its owner's. */
  readonly dispatcher?: Dispatcher;
}

/**
 * Hands each message to a service of the operator's own: POST, JSON `{ channel, to, text, code, locale, expiresAt }`,
 * signed in `X-Doorcode-Signature` (see `webhook-signature.ts`, which receivers can check it with).
 *
 * Any 2xx is acceptance. Any 4xx is a refusal of this number, for good, except 408 and 429. Everything else is
 * temporary; redirects too, which are not followed, because the code would go where nobody meant it to.
 */
export function createWebhookSender({ url, secret, clock, proxies, dispatcher }: WebhookSenderOptions): Sender {
  const { origin, pathname, search } = new URL(url);
  const agent = dispatcher ?? createHttpAgent(origin, { proxies });
  const gate = createGate(maxConnections);

  return {
    name: 'webhook',
    channels: ['sms', 'voice'],
    async send(message, signal) {
      const body = payloadOf(message);
      const signature = sign(body, secret, Math.floor(clock() / 1000));
      const status = await gate(() => abortable((abort) => post(body, signature, message.trace, abort), signal)).catch(
        (error) => {
          throw networkError(error, signal);
        },
      );
      if (status < 200 || status > 299) throw refusalOf(status);
      return { sender: 'webhook' };
    },
    async close() {
      if (!dispatcher) await agent.close();
    },
  };

  async function post(
    body: string,
    signature: string,
    trace: Trace | undefined,
    signal: EventEmitter,
  ): Promise<number> {
    const response = await agent.request({
      origin,
      path: pathname + search,
      method: 'POST',
      headers: { ...traceHeaders(trace), 'content-type': 'application/json', 'x-doorcode-signature': signature },
      body,
      signal,
    });
    // The status has decided; the body is read only to free the connection for the next message.
    await response.body.dump({ limit: maxResponseBytes }).catch(() => {});
    await connectionFree();
    return response.statusCode;
  }
}

function payloadOf({ channel, to, text, code, locale, expiresAt }: Message): string {
  return JSON.stringify({ channel, to, text, code, locale, expiresAt: isoSeconds(expiresAt) });
}

function refusalOf(status: number): DeliveryError {
  const rejected = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return rejected ? new DeliveryError('permanent', 'rejected') : new DeliveryError('temporary', `http_${status}`);
}
