/**
 * Whether browsers send the session cookie to an origin: to the host of `COOKIE_DOMAIN` and all below it, or without that
 * setting to the host of `ORIGIN` alone, on any port (RFC 6265 §5.4, §8.5).
 */
export function cookieReaches(
  { origin, cookieDomain }: { readonly origin: string; readonly cookieDomain: string | undefined },
  target: string,
): boolean {
  const { hostname } = new URL(target);
  if (hostname === (cookieDomain ?? new URL(origin).hostname)) return true;
  return cookieDomain !== undefined && hostname.endsWith(`.${cookieDomain}`);
}
