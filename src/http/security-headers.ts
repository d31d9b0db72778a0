import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet, { type HelmetOptions } from 'helmet';
import { isSubrequest } from './subrequest.ts';

/**
 * Puts helmet's headers into every answer but those to gateways: a gateway may hand them to the browser as the app's own,
 * or have no room for them. They are the same each time, so helmet is asked once and not, as it is made
 * for, with each request: it puts the policy together anew, and headers set on Node's own response make it slower.
 */
export function registerSecurityHeaders(app: FastifyInstance, options: HelmetOptions): void {
  const headers = headersOf(options);
  app.addHook('onRequest', (request, reply, done) => {
    if (!isSubrequest(request)) reply.headers(headers);
    done();
  });
}

/** @returns what helmet sets, by lower-case name */
function headersOf(options: HelmetOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => {},
  };
  helmet(options)({} as IncomingMessage, response as unknown as ServerResponse, (error) => {
    if (error !== undefined) throw error;
  });
  return headers;
}
