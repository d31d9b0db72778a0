import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import type { SealedCookies } from '../seal/cookies.ts';

/**
 * What a browser carries about its way through the sign-in, beyond the open login. It travels sealed in the cookie of
 * notices, which it replaces; nothing that must be counted for security is in it.
 */
export interface ReturnState {
  /** Keeps where the user wants to go while the code page is open, because the login may expire before the code is typed. */
  keepNext(reply: FastifyReply, next: string): void;
  /** @returns what {@link keepNext} kept, unchecked; undefined without it */
  next(request: FastifyRequest): unknown;
  /** Remembers that a code was accepted just now and the session cookie was set. */
  signedIn(reply: FastifyReply): void;
  /** Whether a session cookie was set a moment ago, so that a request without it shows that the browser did not keep it. */
  wasSignedIn(request: FastifyRequest): boolean;
  /**
   * Counts that a signed-in user is sent back to a page, which may keep sending them here.
   *
   * @returns whether that has now happened more than {@link MAX_RETURNS} times within half a minute; the count begins anew
   */
  isLoop(request: FastifyRequest, reply: FastifyReply, target: string): boolean;
}

/**
 * How long each state is kept. A code page may stay open over night; a redirect to the app and back takes seconds. A user who
 * signs out meanwhile gets no wrong message, because /logout clears the cookie.
 */
const TTL_SECONDS = { next: 86_400, 'signed-in': 30, 'sent-back': 30 } as const;
/** Each return takes two redirects, and browsers give up after twenty. */
const MAX_RETURNS = 4;
/** Pages whose returns are counted apart, because the tabs of one browser share the cookie. */
const MAX_TARGETS = 10;

export function createReturnState(cookies: SealedCookies, clock: Clock): ReturnState {
  const seconds = () => Math.floor(clock() / 1000);
  const set = (reply: FastifyReply, fields: object, ttlSeconds: number) =>
    cookies.set(reply, 'notice', { ...fields, exp: seconds() + ttlSeconds }, ttlSeconds);
  /** The members of the newest state of this type that is not too old. */
  const read = (
    request: FastifyRequest,
    typ: keyof typeof TTL_SECONDS,
  ): Readonly<Record<string, unknown>> | undefined =>
    cookies
      .openAll(request, 'notice')
      .map(({ payload }) => Object(payload) as Record<string, unknown>)
      .find(({ typ: own, exp }) => {
        const left = Number(exp) - seconds();
        // More than the whole time is left only after the clock was set back.
        return own === typ && left > 0 && left <= TTL_SECONDS[typ];
      });

  return {
    keepNext: (reply, next) => set(reply, { typ: 'next', next }, TTL_SECONDS.next),
    next: (request) => read(request, 'next')?.['next'],
    signedIn: (reply) => set(reply, { typ: 'signed-in' }, TTL_SECONDS['signed-in']),
    wasSignedIn: (request) => read(request, 'signed-in') !== undefined,
    isLoop(request, reply, target) {
      const last = read(request, 'sent-back');
      const returns = new Map(Object.entries(Object(last?.['returns']) as Record<string, unknown>));
      const key = hash('sha256', target, 'base64url').slice(0, 8);
      const count = (Number(returns.get(key)) || 0) + 1;
      if (count > MAX_RETURNS) {
        cookies.clear(reply, 'notice');
        return true;
      }
      returns.delete(key);
      returns.set(key, count);
      // The time of the first return stands, so that returns of a whole day do not add up.
      const left = last === undefined ? TTL_SECONDS['sent-back'] : Number(last['exp']) - seconds();
      set(reply, { typ: 'sent-back', returns: Object.fromEntries([...returns].slice(-MAX_TARGETS)) }, left);
      return false;
    },
  };
}
