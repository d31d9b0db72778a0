import cookie, { type CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Codec, createCodec } from './codec.ts';
import type { SealKeys } from './keys.ts';

export type CookiePurpose = 'challenge' | 'session' | 'notice';

export interface CookieSettings {
  readonly keys: SealKeys;
  /** Whether users reach us over HTTPS. */
  readonly secure: boolean;
  /** Shared with subdomains when set; else the cookie stays with the one host. */
  readonly domain?: string;
}

/** The sealed cookies of a browser: an open login, who is signed in, and what the next page has to say. */
export interface SealedCookies {
  readonly codec: Codec;
  readonly names: Readonly<Record<CookiePurpose, string>>;
  /** @returns what the cookie holds, unchecked, or null when there is none that our keys open */
  open(request: FastifyRequest, purpose: CookiePurpose): unknown;
  /** @param maxAgeSeconds how long the browser keeps it; without, until it is closed */
  set(reply: FastifyReply, purpose: CookiePurpose, payload: object, maxAgeSeconds?: number): void;
  clear(reply: FastifyReply, purpose: CookiePurpose): void;
}

// RFC 6265 §6.1: what a browser must at least be able to keep. Anything longer is not ours.
const MAX_COOKIE_BYTES = 4096;

/** How many cookies of one name are tried: each costs a decryption for every key. */
const MAX_SAME_NAME = 4;

/**
 * Every value that a request carries under one name. A browser may send several, and nothing tells whose they are: where
 * the name's prefix does not forbid it, any subdomain can plant one that comes first (RFC 6265 §8.6), and it must not
 * hide ours.
 */
function valuesOf(app: FastifyInstance, request: FastifyRequest, name: string): string[] {
  return (request.headers.cookie ?? '')
    .split(';')
    .filter((pair) => pair.trimStart().startsWith(`${name}=`))
    .slice(0, MAX_SAME_NAME)
    .flatMap((pair) => app.parseCookie(pair)[name] ?? []);
}

/**
 * Cookie names and attributes. Over HTTPS the name's prefix makes the browser hold us to Secure, Path=/ and, without a
 * domain, to the one host (RFC 6265bis §4.1.3), so that no subdomain can plant one. The challenge never travels with a
 * request that another site caused; the session does when a person follows a link to us.
 */
export async function registerCookies(app: FastifyInstance, settings: CookieSettings): Promise<SealedCookies> {
  await app.register(cookie);
  const codec = await createCodec(app, settings.keys);

  const prefix = settings.secure ? (settings.domain === undefined ? '__Host-' : '__Secure-') : '';
  const names = {
    challenge: `${prefix}doorcode-challenge`,
    session: `${prefix}doorcode-session`,
    notice: `${prefix}doorcode-notice`,
  };
  const common: CookieSerializeOptions = {
    path: '/',
    httpOnly: true,
    secure: settings.secure,
    ...(settings.domain === undefined ? {} : { domain: settings.domain }),
  };
  const options: Record<CookiePurpose, CookieSerializeOptions> = {
    challenge: { ...common, sameSite: 'strict' },
    session: { ...common, sameSite: 'lax' },
    notice: { ...common, sameSite: 'strict' },
  };

  return {
    codec,
    names,
    open(request, purpose) {
      for (const sealed of valuesOf(app, request, names[purpose])) {
        const payload = sealed.length > MAX_COOKIE_BYTES ? null : codec.open(purpose, sealed);
        if (payload !== null) return payload;
      }
      return null;
    },
    set(reply, purpose, payload, maxAgeSeconds) {
      const maxAge = maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds };
      reply.setCookie(names[purpose], codec.seal(purpose, payload), { ...options[purpose], ...maxAge });
    },
    clear(reply, purpose) {
      reply.setCookie(names[purpose], '', { ...options[purpose], maxAge: 0 });
    },
  };
}
