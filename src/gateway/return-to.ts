/** Where a person may be sent after signing in: the target, normalised, when it is allowed, else `/`. */
export type ReturnTo = (target: unknown) => string;

/** Longer targets would not fit beside the rest of a challenge into one cookie (4,096 bytes, RFC 6265 §6.1). */
export const MAX_RETURN_TO_LENGTH = 1024;

const BASE = 'http://return-to.invalid';

/**
 * The rule for `next`: a path on our own origin, or a URL on one of the allowed origins. Browsers read backslashes as
 * slashes and drop tabs and newlines inside URLs (WHATWG URL §4.4), so a target that holds any is not tried to be
 * understood. What is returned is checked after normalisation, because `/.//host` becomes `//host`.
 *
 * @param allowedOrigins as `URL.origin` writes them, e.g. `https://app.example.com`
 */
export function createReturnTo(allowedOrigins: readonly string[]): ReturnTo {
  return (target) => {
    if (typeof target !== 'string' || target.length === 0) return '/';
    if (/[\u0000-\u0020\u007f\\]/.test(target) || !URL.canParse(target, BASE)) return '/';
    const url = new URL(target, BASE);
    if (target.startsWith('/') && url.origin === BASE) {
      const path = url.pathname + url.search + url.hash;
      return path.startsWith('//') || path.length > MAX_RETURN_TO_LENGTH ? '/' : path;
    }
    const absolute = /^https?:\/\/[^/]/i.test(target) && url.username === '' && url.password === '';
    return absolute && allowedOrigins.includes(url.origin) && url.href.length <= MAX_RETURN_TO_LENGTH ? url.href : '/';
  };
}
