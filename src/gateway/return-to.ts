import { parseUrl } from '../parse-url.ts';
import type { ReportLoss } from './return-loss.ts';

/** Where a person may be sent after signing in: the target, normalised, when it is allowed, else `/`. */
export type ReturnTo = (target: unknown) => string;

/**
 * Longer targets are shortened. With this length a challenge, sealed and encoded, has some 3,400 of the 4,096 bytes that a
 * browser keeps of a cookie (RFC 6265 §6.1), and leaves room for a username of 256 bytes.
 */
export const MAX_RETURN_TO_LENGTH = 2048;

/** Longer targets are refused where a schema validates them. */
export const MAX_TARGET_LENGTH = 8192;

const BASE = 'http://return-to.invalid';

/**
 * The rule for `next`: a path on our own origin, or a URL on one of the allowed origins. Browsers read backslashes as
 * slashes and drop tabs and newlines inside URLs (WHATWG URL §4.4), so a target that holds any is not tried to be
 * understood. What is returned is checked after normalisation, because `/.//host` becomes `//host`.
 *
 * @param allowedOrigins as `URL.origin` writes them, e.g. `https://app.example.com`
 * @param report is called for a target that is shortened or replaced by `/`
 */
export function createReturnTo(allowedOrigins: readonly string[], report: ReportLoss = () => {}): ReturnTo {
  const shortened = (target: string, origin: string | undefined) => {
    const form = shorten(target);
    if (form !== target) report(origin, `longer than ${MAX_RETURN_TO_LENGTH} characters; shortened`);
    return form;
  };
  const dropped = (origin: string | undefined, reason: string) => {
    report(origin, reason);
    return '/';
  };

  return (target) => {
    if (typeof target !== 'string' || target.length === 0) return '/';
    const url = /[\u0000-\u0020\u007f\\]/.test(target) ? undefined : parseUrl(target, BASE);
    if (url === undefined) return dropped(undefined, MALFORMED);
    if (target.startsWith('/') && url.origin === BASE) {
      const path = url.pathname + url.search + url.hash;
      return path.startsWith('//') ? dropped(undefined, MALFORMED) : shortened(path, undefined);
    }
    const absolute = /^https?:\/\/[^/]/i.test(target) && url.username === '' && url.password === '';
    if (!absolute) return dropped(undefined, MALFORMED);
    if (!allowedOrigins.includes(url.origin)) return dropped(url.origin, 'not in ALLOWED_RETURN_ORIGINS; dropped');
    return shortened(url.href, url.origin);
  };
}

const MALFORMED = 'neither a path nor a URL that every browser reads alike; dropped';

/**
 * The longest form of a target that fits.
 *
 * @param target normalised, as {@link ReturnTo} returns it
 */
export function shorten(target: string, maxLength = MAX_RETURN_TO_LENGTH): string {
  for (const form of shorterForms(target)) if (form.length <= maxLength) return form;
  return '/';
}

/** The longest form of a target that fits into one cookie together with a username, which may have up to 1,024 bytes. */
export function fitBeside(username: string, target: string): string {
  const bytesMore = Math.max(0, Buffer.byteLength(username) - 256);
  return shorten(target, MAX_RETURN_TO_LENGTH - bytesMore);
}

/** A normalised target, then the same without its fragment, without its query, and the start page of its origin. */
export function* shorterForms(target: string): Generator<string> {
  yield target;
  const isPath = target.startsWith('/');
  const { origin, pathname, search } = new URL(target, BASE);
  const start = isPath ? '' : origin;
  yield `${start}${pathname}${search}`;
  yield `${start}${pathname}`;
  yield `${start}/`;
}
