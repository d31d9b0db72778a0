import type { FastifyRequest } from 'fastify';
import { cookieReaches } from './cookie-scope.ts';
import { forwardedHosts, forwardedSchemes, isForwardedByTrusted, originsOf } from './forwarded.ts';

/** The origin of the app that a gateway asks about, for the claim `aud`; undefined when it is not known for certain. */
export type AudienceOf = (request: FastifyRequest) => string | undefined;

export interface AudienceSettings {
  readonly origin: string;
  readonly cookieDomain: string | undefined;
  readonly allowedReturnOrigins: readonly string[];
}

/**
 * Finds the app by the forwarded host, so that no app can use an assertion at another. Only a trusted peer is believed,
 * and of several hosts only the last, which that peer wrote itself: a script of one app could send the others.
 *
 * An app is known when `ALLOWED_RETURN_ORIGINS` lists its origin, or when the session cookie reaches its host. The
 * allow-list keeps a made-up `Host` out of assertions, and the cookie's scope spares the operator a list of all apps.
 */
export function createAudience(settings: AudienceSettings): AudienceOf {
  const { origin, allowedReturnOrigins } = settings;
  const isSecure = origin.startsWith('https:');
  const ownScheme = isSecure ? 'https' : 'http';
  const listed = [origin, ...allowedReturnOrigins];
  return (request) => {
    const host = forwardedHosts(request).at(-1);
    if (host === undefined || !isForwardedByTrusted(request)) return undefined;
    const candidates = originsOf(host, [...forwardedSchemes(request).slice(-1), ownScheme]);
    return (
      candidates.find((candidate) => listed.includes(candidate)) ??
      // The session cookie is Secure then, so a request that carries it came over https, whatever the proxies report.
      candidates.find(
        (candidate) => cookieReaches(settings, candidate) && (!isSecure || candidate.startsWith('https:')),
      )
    );
  };
}
