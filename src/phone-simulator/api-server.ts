import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBasicCredentials } from './basic-credentials.ts';
import { compatibilityEndpoint } from './compatibility.ts';
import { type Fault, faultOf } from './faults.ts';
import type { Network } from './network.ts';
import { plivoEndpoint } from './plivo.ts';
import { type Answer, type Channel, type Endpoint, type Order, type Provider, Refusal } from './provider.ts';
import { readBody, send } from './wire.ts';

/** One request to an API, refused ones among them. */
export interface PhoneRequest {
  readonly provider: Provider;
  readonly channel: Channel;
  /** Null for a request that was refused before its number counted. */
  readonly to: string | null;
  /** The fault that it met with, by its number or by the provider's. */
  readonly fault: Fault | null;
  /** HTTP status of the answer; null while there is none. */
  readonly status: number | null;
}

/** The accounts that are let in. A provider that is not named takes every account, with any token. */
export type AccountTokens = Partial<Readonly<Record<Provider, { readonly account: string; readonly token: string }>>>;

export interface ApiServerOptions {
  readonly network: Network;
  readonly accounts: AccountTokens;
  /** What SignalWire signs its callbacks with; the token of the request when absent. */
  readonly signingKey?: string;
}

export interface ApiServer {
  /** The last 500. */
  readonly requests: readonly PhoneRequest[];
  /** Faults that hold for every number of a provider. */
  readonly faults: Map<Provider, Fault>;
  /** Takes what is meant for an API. @returns false for everything else, left alone */
  take(request: IncomingMessage, response: ServerResponse): boolean;
}

const MAX_REQUESTS = 500;
const NOT_FOUND = { code: 20404, message: 'There is no such resource: check the path', status: 404 };
const UNKNOWN_QUERY = { code: 20001, message: 'A query is not known here: send fields in the body', status: 400 };

/** The three APIs: who asks, what is asked, and whether it may be. The rest is the network's. */
export function createApiServer({ network, accounts, signingKey }: ApiServerOptions): ApiServer {
  const requests: Writable<PhoneRequest>[] = [];
  const faults = new Map<Provider, Fault>();

  /** @returns the token, or null for credentials that are no good here */
  function tokenOf(header: string | undefined, { provider, account }: Endpoint): string | null {
    const given = readBasicCredentials(header);
    const expected = accounts[provider];
    if (given === null || given.user !== account) return null;
    if (expected === undefined) return given.password;
    return given.user === expected.account && given.password === expected.token ? given.password : null;
  }

  async function handle(endpoint: Endpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { provider, channel } = endpoint;
    const entry: Writable<PhoneRequest> = { provider, channel, to: null, fault: null, status: null };
    requests.push(entry);
    if (requests.length > MAX_REQUESTS) requests.shift();
    const answer = (given: Answer) => {
      entry.status = given.status;
      send(response, given);
    };

    const body = await readBody(request);
    const token = tokenOf(request.headers.authorization, endpoint);
    if (token === null) return answer(endpoint.refuse('credentials'));
    if (request.method !== 'POST') return answer(endpoint.refuse('method'));
    if (body === null) return answer(endpoint.refuse('too_large'));
    const order = readOrder(endpoint, request.headers['content-type'] ?? '', body);
    if (order instanceof Refusal) return answer(order.answer);

    entry.to = order.to;
    entry.fault = faults.get(provider) ?? faultOf(order.to);
    const keys = { token, signingKey: signingKey ?? token };
    network.carry({ endpoint, order, keys, response, answer }, entry.fault);
  }

  return {
    requests,
    faults,
    take(request, response) {
      const [path = '', query] = (request.url ?? '').split('?');
      const endpoint = compatibilityEndpoint(path) ?? plivoEndpoint(path);
      if (endpoint === null) {
        if (request.method === 'POST') send(response, { status: 404, body: NOT_FOUND });
        return request.method === 'POST';
      }
      if (query !== undefined) {
        send(response, { status: 400, body: UNKNOWN_QUERY });
        return true;
      }
      // It fails when the client breaks off, and then there is nobody to answer.
      handle(endpoint, request, response).catch(() => response.destroy());
      return true;
    },
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function readOrder(endpoint: Endpoint, contentType: string, body: string): Order | Refusal {
  const [type = ''] = contentType.split(';');
  try {
    return endpoint.read(type.trim().toLowerCase(), body);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
