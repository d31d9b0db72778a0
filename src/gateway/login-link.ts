import type { FastifyRequest } from 'fastify';
import { forwardedHosts, forwardedSchemes, originsOf, utf8Header } from './forwarded.ts';
import type { ReportLoss } from './return-loss.ts';
import { type ReturnTo, shorterForms } from './return-to.ts';

/** The login page for a user who is not signed in, with the URL that the user requested as `next`. */
export type LoginLink = (request: FastifyRequest) => string;

/** nginx reads the headers of an answer into 4 KiB by default, and this link is one of them. */
const MAX_LINK_LENGTH = 3500;

/**
 * Makes the links from what a gateway says of the request that it asks about: `X-Forwarded-Proto`, `-Host` and `-Uri`.
 *
 * Whether the peer is trusted makes no difference. Whatever the headers hold, the link leads to our own origin, and its
 * `next` to an allowed one by the rules of {@link ReturnTo}; a client can write the same link itself.
 */
export function createLoginLink(
  { origin, allowedReturnOrigins }: { readonly origin: string; readonly allowedReturnOrigins: readonly string[] },
  returnTo: ReturnTo,
  report: ReportLoss = () => {},
): LoginLink {
  const known = [origin, ...allowedReturnOrigins];

  /** The URL that the user requested; a path when it is on our own origin. */
  const requestedUrl = (request: FastifyRequest): string | undefined => {
    const uri = originalUri(request);
    if (uri === undefined) {
      report(undefined, 'the gateway sends no X-Forwarded-Uri');
      return undefined;
    }
    // Posting again is not possible after the login, so it ends at the start page of the app.
    const path = originalMethod(request) === 'POST' ? '/' : uri;
    // Of a chain of proxies, one of which may report an internal name or scheme, the first that users may be sent to.
    const candidates = forwardedHosts(request).flatMap((host) => originsOf(host, forwardedSchemes(request)));
    const app = candidates.find((candidate) => known.includes(candidate)) ?? candidates[0];
    if (app === undefined) {
      report(undefined, 'the gateway sends no usable X-Forwarded-Host');
      return undefined;
    }
    return app === origin ? path : app + path;
  };

  return (request) => {
    const links = [...shorterForms(returnTo(requestedUrl(request)))].map(
      (next) => `${origin}/login?next=${encodeURIComponent(next)}`,
    );
    const link = links.find(({ length }) => length <= MAX_LINK_LENGTH) ?? `${origin}/login`;
    if (link !== links[0]) report(undefined, `longer than ${MAX_LINK_LENGTH} bytes in percent-encoding; shortened`);
    return link;
  };
}

/** The method of the user's request: `X-Forwarded-Method`, or that of a gateway that passes it on itself (Envoy). */
export function originalMethod({ headers, method }: FastifyRequest): string {
  const forwarded = headers['x-forwarded-method'];
  return typeof forwarded === 'string' && forwarded !== '' ? forwarded.toUpperCase() : method;
}

/** The path and query of the user's request: `X-Forwarded-Uri`, or what Envoy appended to our own path. */
function originalUri({ headers, params, url }: FastifyRequest): string | undefined {
  const forwarded = headers['x-forwarded-uri'];
  if (typeof forwarded === 'string') return forwarded.startsWith('/') ? utf8Header(forwarded) : undefined;
  if (typeof (params as Record<string, unknown>)['*'] !== 'string') return undefined;
  return url.replace(/^\/auth(?:\/redirect)?(?=\/)/, '');
}
