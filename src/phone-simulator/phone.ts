import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type Clock, systemClock } from '../clock.ts';
import { listen } from '../listening.ts';
import { type AccountTokens, createApiServer, type PhoneRequest } from './api-server.ts';
import { type CalledBack, createCaller } from './caller.ts';
import { createCertificate } from './certificate.ts';
import type { Fault } from './faults.ts';
import { createInbox, type PhoneMessage } from './inbox.ts';
import { createNetwork, type Schedule } from './network.ts';
import { createPageServer } from './page-server.ts';
import type { Provider } from './provider.ts';

export interface PhoneOptions {
  /** A loopback address; 127.0.0.1 when absent. */
  readonly host?: string;
  /** Of the APIs, over TLS; 0, the default, takes any. */
  readonly port?: number;
  /** Of the page over plain HTTP; null, the default, is none: it is on the port of the APIs as well. */
  readonly pagePort?: number | null;
  /** The accounts that are let in. A provider that is not named takes every account, with any token. */
  readonly credentials?: AccountTokens;
  /** What SignalWire signs its callbacks with; the token of the request when absent. */
  readonly signingKey?: string;
  readonly clock?: Clock;
  /** For tests: the time that a slow answer takes. */
  readonly schedule?: Schedule;
}

/** A phone, and the providers that lead to it. */
export interface Phone {
  /** `127.0.0.1:PORT`, for SIGNALWIRE_SPACE, TWILIO_HOST and PLIVO_HOST. */
  readonly host: string;
  /** The certificate to trust, PEM. */
  readonly ca: string;
  /** Of the page over plain HTTP, where there is one. */
  readonly pageUrl: string | null;
  /** What has arrived: the last 500, in order. */
  readonly messages: readonly PhoneMessage[];
  /** Every request to an API, the last 500. */
  readonly requests: readonly PhoneRequest[];
  /** Every request to the service, for the words of a call or with a status: the last 500. */
  readonly callbacks: readonly CalledBack[];
  /** How many TLS connections there have been. */
  readonly connections: number;
  /** Resolves when so many messages are there. */
  arrived(count: number): Promise<void>;
  /** Resolves when nothing is under way any more: calls picked up, statuses told. */
  idle(): Promise<void>;
  /** Makes a provider misbehave for every number, until it is given null. */
  fault(provider: Provider, fault: Fault | null): void;
  /** Cuts off whoever still waits for an answer. */
  close(): Promise<void>;
}

/**
 * A phone for development and tests, with SignalWire, Twilio and Plivo in front of it: their APIs on one TLS port, and
 * a page that shows what arrives. It has no account, sends nothing, and calls nobody but this machine.
 *
 * @throws Error with the code EADDRINUSE, and the `port`, when one is taken
 */
export async function startPhone(options: PhoneOptions = {}): Promise<Phone> {
  const { host = '127.0.0.1', port = 0, pagePort = null, credentials = {}, signingKey, clock = systemClock } = options;
  const { schedule = (ms, callback) => void setTimeout(callback, ms).unref() } = options;
  const { key, certificate } = createCertificate(clock());
  const inbox = createInbox();
  const caller = createCaller();
  const network = createNetwork({ inbox, caller, clock, schedule });
  const api = createApiServer({ network, accounts: credentials, ...(signingKey === undefined ? {} : { signingKey }) });
  let connections = 0;

  const apiServer = createHttpsServer({ key, cert: certificate }, (request, response) => {
    if (!api.take(request, response)) showPage(request, response);
  });
  // As long as providers keep an idle connection open, so that a service can reuse it.
  apiServer.keepAliveTimeout = 60_000;
  apiServer.on('secureConnection', () => {
    connections += 1;
  });

  const listening = await listen(apiServer, host, port);
  const showPage = createPageServer(inbox, listening.address);
  const page =
    pagePort === null
      ? null
      : await listen(createHttpServer(showPage), host, pagePort).catch(async (error) => {
          await listening.close();
          throw error;
        });

  return {
    host: listening.address,
    ca: certificate,
    pageUrl: page === null ? null : `http://${page.address}`,
    messages: inbox.messages,
    requests: api.requests,
    callbacks: caller.made,
    get connections() {
      return connections;
    },
    arrived: inbox.arrived,
    idle: network.idle,
    fault(provider, fault) {
      if (fault === null) api.faults.delete(provider);
      else api.faults.set(provider, fault);
    },
    async close() {
      caller.close();
      await Promise.all([listening.close(), page?.close()]);
    },
  };
}
