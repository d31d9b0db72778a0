/**
 * Checks `COOKIE_DOMAIN` against the Public Suffix List (https://publicsuffix.org), the domains under which anyone can
 * register a name, such as `co.uk`, `github.io` and `duckdns.org`. Browsers refuse cookies for them (RFC 6265 §5.3, step
 * 5), so no session would be kept. If the domain is the very host of `ORIGIN`, they keep the cookie for that host alone.
 *
 * The list is loaded only here: it takes longer to load than the rest of the configuration.
 *
 * @returns the fault, or undefined
 */
export async function publicSuffixFault(settings: {
  readonly origin: string;
  readonly cookieDomain: string | undefined;
}): Promise<string | undefined> {
  const { origin, cookieDomain } = settings;
  if (cookieDomain === undefined || cookieDomain === new URL(origin).hostname) return undefined;
  // A top-level domain is reported where the settings are read.
  if (!cookieDomain.includes('.')) return undefined;
  const { parse } = await import('tldts');
  const { isIcann, isPrivate, publicSuffix } = parse(cookieDomain, { allowPrivateDomains: true });
  if (publicSuffix !== cookieDomain || !(isIcann || isPrivate)) return undefined;
  return (
    `COOKIE_DOMAIN: ${cookieDomain} is a public suffix, below which anyone can register a name, and browsers refuse ` +
    'cookies for it; use a domain of your own below it'
  );
}
