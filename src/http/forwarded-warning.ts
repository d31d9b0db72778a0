import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IsTrusted } from './trusted-peers.ts';

const MAX_WARNINGS = 10;

/**
 * Logs a warning when a request carries the client's address in a header that is ignored: because the peer which sent it
 * is not in TRUST_PROXY, or because it is the header `Forwarded` (RFC 7239) or `X-Real-IP`, which are not read. All users of such a gateway
 * share one address, and with it one set of limits.
 *
 * The log has this line once per address of a peer, and {@link MAX_WARNINGS} times per process, because any client can send
 * these headers.
 */
export function registerForwardedWarning(app: FastifyInstance, isTrusted: IsTrusted): void {
  const warnedPeers = new Set<string>();
  app.addHook('onRequest', (request, _reply, done) => {
    const peer = request.socket.remoteAddress ?? '';
    if (warnedPeers.size < MAX_WARNINGS && !warnedPeers.has(peer)) {
      const warning = warningFor(request, isTrusted);
      if (warning !== undefined) {
        warnedPeers.add(peer);
        request.log.warn({ peer }, warning);
      }
    }
    done();
  });
}

function warningFor({ headers, socket }: FastifyRequest, isTrusted: IsTrusted): string | undefined {
  const name = ['X-Forwarded-For', 'Forwarded', 'X-Real-IP'].find((each) => headers[each.toLowerCase()] !== undefined);
  const peer = socket.remoteAddress ?? '';
  if (name === undefined) return undefined;
  if (!isTrusted(peer))
    return `TRUST_PROXY: ignored ${name} from ${peer}, which is not trusted; add it if it is your gateway`;
  return name === 'X-Forwarded-For'
    ? undefined
    : `TRUST_PROXY: ignored ${name} from the trusted address ${peer}; set X-Forwarded-For in your gateway instead`;
}
