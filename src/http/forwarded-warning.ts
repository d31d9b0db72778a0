import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IsTrusted } from './trusted-peers.ts';

/**
 * Logs a warning when a request carries the client's address in a header that is ignored: because the peer which sent it
 * is not in TRUST_PROXY, or because it is the header `Forwarded` (RFC 7239), which is not read. All users of such a gateway
 * share one address, and with it one set of limits.
 *
 * The log has this line once per process, because any client can send these headers.
 */
export function registerForwardedWarning(app: FastifyInstance, isTrusted: IsTrusted): void {
  let warned = false;
  app.addHook('onRequest', (request, _reply, done) => {
    if (!warned) {
      const warning = warningFor(request, isTrusted);
      if (warning !== undefined) request.log.warn({ peer: request.socket.remoteAddress }, warning);
      warned = warning !== undefined;
    }
    done();
  });
}

function warningFor({ headers, socket }: FastifyRequest, isTrusted: IsTrusted): string | undefined {
  const name = ['X-Forwarded-For', 'Forwarded'].find((each) => headers[each.toLowerCase()] !== undefined);
  const peer = socket.remoteAddress ?? '';
  if (name === undefined) return undefined;
  if (!isTrusted(peer))
    return `TRUST_PROXY: ignored ${name} from ${peer}, which is not trusted; add it if it is your gateway`;
  return name === 'Forwarded'
    ? `TRUST_PROXY: ignored Forwarded from the trusted address ${peer}; set X-Forwarded-For in your gateway instead`
    : undefined;
}
