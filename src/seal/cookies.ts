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
  /** The session is shared with the subdomains of this domain; without it, it is sent to the login host alone. */
  readonly domain?: string;
}

/** A cookie that our keys open. */
export interface OpenedCookie {
  readonly name: string;
  /** What was sealed, not validated. */
  readonly payload: unknown;
}

/** The sealed cookies of a browser: an open login (challenge), a signed-in user (session), a message for the next page. */
export interface SealedCookies {
  readonly codec: Codec;
  /** The names under which cookies are set. */
  readonly names: Readonly<Record<CookiePurpose, string>>;
  /**
   * Every cookie of this purpose that our keys open. First those under the name that is set today, then those under the
   * name of an earlier configuration or version; among the same name in the order of the request. Which of them is valid
   * is for the caller to decide: the first may be expired, revoked, or planted by a subdomain.
   */
  openAll(request: FastifyRequest, purpose: CookiePurpose): readonly OpenedCookie[];
  /**
   * The same under the names of every `COOKIE_DOMAIN`. Only for ending what they hold: without `COOKIE_DOMAIN`, a name that
   * a subdomain may set must not sign anybody in.
   */
  openAnyName(request: FastifyRequest, purpose: CookiePurpose): readonly OpenedCookie[];
  /**
   * Sets the cookie. Call it once for each answer and purpose.
   *
   * @param maxAgeSeconds how long the browser keeps it; without, until it is closed
   */
  set(reply: FastifyReply, purpose: CookiePurpose, payload: object, maxAgeSeconds?: number): void;
  /** Clears the cookie, also under the earlier names that the request carries. */
  clear(reply: FastifyReply, purpose: CookiePurpose): void;
}

// RFC 6265 §6.1: what a browser must at least be able to keep. Anything longer is not ours.
const MAX_COOKIE_BYTES = 4096;

/**
 * The shortest sealed value: an authentication tag (16 bytes) with the shortest object, and a nonce (24 bytes), both in
 * base64. Shorter values are dropped before they are decoded. The number of cookies has no bound of its own, because
 * junk cookies would use it up and hide the valid one; Node's limit for all headers (16 kB) bounds the work instead: less
 * than two hundred values of this length.
 */
const MIN_SEALED_LENGTH = 57;

/** How many opened sessions are remembered: a page asks dozens of times who is there. */
const MAX_OPENED = 10_000;
/**
 * Longer ones are opened each time: ours are a third of that, and whoever is signed in could fill memory with one and the
 * same cookie, percent-encoded in ever other ways.
 */
const MAX_OPENED_LENGTH = 1024;

/**
 * Every pair of name and value that a Cookie header holds under one name. A browser may send several that differ in path
 * or domain, and the header does not say which (RFC 6265 §8.6): a subdomain can set one that comes first, and it must not
 * hide ours. Cookies of other names are not parsed.
 */
function* pairsOf(header: string, name: string): Generator<string> {
  const start = `${name}=`;
  for (let at = header.indexOf(start); at >= 0; at = header.indexOf(start, at + 1)) {
    if (!beginsPair(header, at)) continue;
    const end = header.indexOf(';', at);
    const pair = end < 0 ? header.slice(at) : header.slice(at, end);
    if (pair.length >= start.length + MIN_SEALED_LENGTH) yield pair;
  }
}

/** Other names may end like ours, and values may hold our name. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (header[before] === ' ' || header[before] === '\t') before -= 1;
  return before < 0 || header[before] === ';';
}

/** A cookie's place in the browser: its name, and all attributes that follow the value. */
interface Place {
  readonly name: string;
  readonly attributes: string;
}

/**
 * Cookie names and attributes. Over HTTPS the prefix `__Host-` makes browsers accept a cookie only with Secure, Path=/
 * and without a domain (RFC 6265bis §4.1.3): it is sent to the login host alone, and no subdomain can set it. With a
 * domain only the session is shared, under the prefix `__Secure-`. A challenge that reached a subdomain would let its
 * owner use up the guesses and lock the account.
 *
 * SameSite: the challenge never travels with a request that another site caused; the session and the notice do when a user
 * follows a link to us, because a redirect of an app on another site may bring them.
 */
export async function registerCookies(app: FastifyInstance, settings: CookieSettings): Promise<SealedCookies> {
  // Without its hooks: they read every cookie of every request, needed or not.
  await app.register(cookie, { hook: false });
  const codec = await createCodec(app, settings.keys);
  const { domain, secure } = settings;

  const place = (purpose: CookiePurpose, shared: boolean): Place => {
    const name = `${secure ? (shared ? '__Secure-' : '__Host-') : ''}doorcode-${purpose}`;
    const sameSite = purpose === 'challenge' ? 'strict' : 'lax';
    const options = { path: '/', httpOnly: true, secure, sameSite, ...(shared && domain ? { domain } : {}) } as const;
    return { name, attributes: app.serializeCookie(name, '', options).slice(`${name}=`.length) };
  };
  /** Where each cookie is set, and then where an earlier configuration or version may have set it. */
  const places: Readonly<Record<CookiePurpose, readonly [Place, Place?]>> = {
    // Without a domain the shared name is not read: any subdomain could sign users in to an account of its choice.
    session: domain === undefined ? [place('session', false)] : [place('session', true), place('session', false)],
    // The version before set the challenge for the whole domain. It is still read, so that a login that an old replica
    // opened can be completed during a rolling upgrade. A subdomain can set it to a login of its own choice, but it can
    // set the session just as well, so it gains nothing; it comes only after a challenge of the login host.
    challenge:
      domain === undefined ? [place('challenge', false)] : [place('challenge', false), place('challenge', true)],
    notice: [place('notice', false)],
  };
  const names = {
    challenge: places.challenge[0].name,
    session: places.session[0].name,
    notice: places.notice[0].name,
  };
  const namesOf = (purpose: CookiePurpose) => [...new Set(places[purpose].flatMap((place) => place?.name ?? []))];
  const namesRead = { challenge: namesOf('challenge'), session: namesOf('session'), notice: namesOf('notice') };

  /** Payloads by name and value as they came: the same bytes hold the same sealed value. */
  const openedSessions = createBoundedMap<string, unknown>(MAX_OPENED);

  function openPair(pair: string, name: string, purpose: CookiePurpose): unknown {
    const sealed = app.parseCookie(pair)[name];
    return sealed === undefined || sealed.length > MAX_COOKIE_BYTES ? null : codec.open(purpose, sealed);
  }

  /** Only what was opened is remembered, so clients without our key take no memory. Validity is not decided here. */
  function openSession(pair: string, name: string): unknown {
    const known = openedSessions.get(pair);
    if (known !== undefined) return known;
    const payload = openPair(pair, name, 'session');
    // A copy of the text, because a part of the header would keep the whole of it in memory.
    if (payload !== null && pair.length <= MAX_OPENED_LENGTH)
      openedSessions.set(Buffer.from(pair, 'latin1').toString('latin1'), Object.freeze(payload));
    return payload;
  }

  function openNames(request: FastifyRequest, purpose: CookiePurpose, cookieNames: readonly string[]): OpenedCookie[] {
    const header = request.headers.cookie;
    if (header === undefined) return [];
    const opened: OpenedCookie[] = [];
    for (const name of cookieNames) {
      for (const pair of pairsOf(header, name)) {
        const payload = purpose === 'session' ? openSession(pair, name) : openPair(pair, name, purpose);
        if (payload !== null) opened.push({ name, payload });
      }
    }
    return opened;
  }

  /** Clears the cookie in places of an earlier configuration or version, if the request carries one of that name. */
  function clearEarlier(reply: FastifyReply, purpose: CookiePurpose): void {
    const header = reply.request.headers.cookie;
    const [, earlier] = places[purpose];
    if (earlier !== undefined && header?.includes(`${earlier.name}=`)) {
      const { name, attributes } = earlier;
      reply.header('set-cookie', `${name}=; Max-Age=0${attributes}`);
    }
  }

  return {
    codec,
    names,
    openAll: (request, purpose) => openNames(request, purpose, namesRead[purpose]),
    openAnyName: (request, purpose) =>
      openNames(
        request,
        purpose,
        (secure ? ['__Host-', '__Secure-'] : ['']).map((prefix) => `${prefix}doorcode-${purpose}`),
      ),
    set(reply, purpose, payload, maxAgeSeconds) {
      // A gateway can pass on one Set-Cookie header of the answer to its authentication request, and that is the session.
      if (purpose !== 'session') clearEarlier(reply, purpose);
      const [{ name, attributes }] = places[purpose];
      const maxAge = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
      const value = encodeURIComponent(codec.seal(purpose, payload));
      reply.header('set-cookie', `${name}=${value}${maxAge}${attributes}`);
    },
    clear(reply, purpose) {
      clearEarlier(reply, purpose);
      const [{ name, attributes }] = places[purpose];
      reply.header('set-cookie', `${name}=; Max-Age=0${attributes}`);
    },
  };
}
