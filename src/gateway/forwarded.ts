import type { FastifyRequest } from 'fastify';
import { isOrigin } from '../environment.ts';

/** Longer than any host name with its port (RFC 1035 §2.3.4). */
const MAX_HOST_LENGTH = 260;

/**
 * The hosts that the user's request was for, as the gateways report them: `X-Forwarded-Host`, or without it `Host`, which
 * Envoy leaves as it was. Each proxy of a chain may append its own, so there can be several; the last is that of the peer.
 */
export function forwardedHosts({ headers }: FastifyRequest): string[] {
  return parts(headers['x-forwarded-host'] ?? headers.host);
}

/** The schemes of the user's request, `X-Forwarded-Proto`. With a chain of proxies there can be several. */
export function forwardedSchemes({ headers }: FastifyRequest): string[] {
  return parts(headers['x-forwarded-proto']).map((scheme) => scheme.toLowerCase());
}

/**
 * Whether a trusted peer sent the request and named the client that it acts for. Without that, its `X-Forwarded-*` may
 * come from the client itself.
 */
export function isForwardedByTrusted(request: FastifyRequest): boolean {
  return (request.ips?.length ?? 0) > 1;
}

/**
 * The origins that a host could stand for, the likeliest first. A proxy behind another that ends TLS often reports `http`
 * or the schemes of both, so every scheme is tried after the reported ones.
 *
 * @returns normalised like `URL.origin`, international names as punycode; empty when it is not a host
 */
export function originsOf(host: string, schemes: readonly string[]): string[] {
  if (host.length > MAX_HOST_LENGTH || host.endsWith('/')) return [];
  const candidates = [...schemes.filter((scheme) => /^https?$/.test(scheme)), 'https', 'http'].map(
    (scheme) => `${scheme}://${host}`,
  );
  return candidates.filter(isOrigin).map((text) => new URL(text).origin);
}

/**
 * Reads bytes of a header as UTF-8. Node.js reads headers as Latin-1, which garbles an international host or path that a
 * client did not encode.
 */
export function utf8Header(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value;
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? value : text;
}

/** The parts of a comma-separated header. */
function parts(header: string | string[] | undefined): string[] {
  return utf8Header([header ?? []].flat().join(','))
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
