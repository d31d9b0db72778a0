import cookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createBoundedMap } from '../bounded-map.ts';
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
  /**
   * Once for each answer and purpose.
   *
   * @param maxAgeSeconds how long the browser keeps it; without, until it is closed
   */
  set(reply: FastifyReply, purpose: CookiePurpose, payload: object, maxAgeSeconds?: number): void;
  clear(reply: FastifyReply, purpose: CookiePurpose): void;
}

// RFC 6265 §6.1: what a browser must at least be able to keep. Anything longer is not ours.
const MAX_COOKIE_BYTES = 4096;

/** How many cookies of one name are tried: each costs a decryption for every key. */
const MAX_SAME_NAME = 4;

/** How many opened sessions are remembered: a page asks dozens of times who is there. */
const MAX_OPENED = 10_000;
/**
 * Longer ones are opened each time: ours are a third of that, and whoever is signed in could fill memory with one and the
 * same cookie, percent-encoded in ever other ways.
 */
const MAX_OPENED_LENGTH = 1024;

/**
 * Every pair of name and value that a Cookie header holds under one name. A browser may send several, and nothing tells
 * whose they are: where the name's prefix does not forbid it, any subdomain can plant one that comes first (RFC 6265
 * §8.6), and it must not hide ours. Cookies of other names are not looked into.
 */
function* pairsOf(header: string, name: string): Generator<string> {
  const start = `${name}=`;
  let found = 0;
  for (let at = header.indexOf(start); at >= 0 && found < MAX_SAME_NAME; at = header.indexOf(start, at + 1)) {
    if (!beginsPair(header, at)) continue;
    const end = header.indexOf(';', at);
    yield end < 0 ? header.slice(at) : header.slice(at, end);
    found += 1;
  }
}

/** Other names may end like ours, and values may hold our name. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (header[before] === ' ' || header[before] === '\t') before -= 1;
  return before < 0 || header[before] === ';';
}

/**
 * Cookie names and attributes. Over HTTPS the name's prefix makes the browser hold us to Secure, Path=/ and, without a
 * domain, to the one host (RFC 6265bis §4.1.3), so that no subdomain can plant one. The challenge never travels with a
 * request that another site caused; the session does when a person follows a link to us.
 */
export async function registerCookies(app: FastifyInstance, settings: CookieSettings): Promise<SealedCookies> {
  // Without its hooks: they read every cookie of every request, needed or not.
  await app.register(cookie, { hook: false });
  const codec = await createCodec(app, settings.keys);

  const prefix = settings.secure ? (settings.domain === undefined ? '__Host-' : '__Secure-') : '';
  const names = {
    challenge: `${prefix}doorcode-challenge`,
    session: `${prefix}doorcode-session`,
    notice: `${prefix}doorcode-notice`,
  };
  const common = {
    path: '/',
    httpOnly: true,
    secure: settings.secure,
    ...(settings.domain === undefined ? {} : { domain: settings.domain }),
  };
  /** All that follows the value, made once: it is the same in every answer. */
  const attributesOf = (purpose: CookiePurpose, sameSite: 'strict' | 'lax') =>
    app.serializeCookie(names[purpose], '', { ...common, sameSite }).slice(`${names[purpose]}=`.length);
  const attributes = {
    challenge: attributesOf('challenge', 'strict'),
    session: attributesOf('session', 'lax'),
    notice: attributesOf('notice', 'strict'),
  };

  /** What the pair holds, by the pair as it came: whoever brings the same bytes has the same sealed value. */
  const openedSessions = createBoundedMap<string, unknown>(MAX_OPENED);

  function openPair(pair: string, purpose: CookiePurpose): unknown {
    const sealed = app.parseCookie(pair)[names[purpose]];
    return sealed === undefined || sealed.length > MAX_COOKIE_BYTES ? null : codec.open(purpose, sealed);
  }

  /** Only what was opened is remembered, so nobody without our key takes room. Whether it is still good is not asked here. */
  function openSession(pair: string): unknown {
    const known = openedSessions.get(pair);
    if (known !== undefined) return known;
    const payload = openPair(pair, 'session');
    // A copy of the text, because a part of the header would keep the whole of it in memory.
    if (payload !== null && pair.length <= MAX_OPENED_LENGTH)
      openedSessions.set(Buffer.from(pair, 'latin1').toString('latin1'), Object.freeze(payload));
    return payload;
  }

  return {
    codec,
    names,
    open(request, purpose) {
      const header = request.headers.cookie;
      if (header === undefined) return null;
      for (const pair of pairsOf(header, names[purpose])) {
        const payload = purpose === 'session' ? openSession(pair) : openPair(pair, purpose);
        if (payload !== null) return payload;
      }
      return null;
    },
    set(reply, purpose, payload, maxAgeSeconds) {
      const maxAge = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
      const value = encodeURIComponent(codec.seal(purpose, payload));
      reply.header('set-cookie', `${names[purpose]}=${value}${maxAge}${attributes[purpose]}`);
    },
    clear(reply, purpose) {
      reply.header('set-cookie', `${names[purpose]}=; Max-Age=0${attributes[purpose]}`);
    },
  };
}
