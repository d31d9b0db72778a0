import type { FastifyReply, FastifyRequest } from 'fastify';
import { CLOCK_SKEW_SECONDS } from '../challenge/challenge.ts';
import type { Clock } from '../clock.ts';
import { type ProblemCode, problems } from '../errors.ts';
import type { SealedCookies } from '../seal/cookies.ts';

/**
 * Why a form was not carried out, for the page that the browser is sent to next. A page that answers the form itself
 * would stand at the form's address, and be sent again when it is reloaded.
 */
export interface Notice {
  readonly code: ProblemCode;
  readonly attemptsLeft?: number | undefined;
  /** When to try again, Unix seconds. */
  readonly retryAt?: number | undefined;
  /** As typed. */
  readonly username?: string | undefined;
  /** Id of the challenge that the form was about. */
  readonly about?: string | undefined;
  /** Where the person wanted to go; already made safe. */
  readonly next?: string | undefined;
}

/** Notices travel sealed in a cookie of their own, and never hold a password or a code. */
export interface Notices {
  leave(reply: FastifyReply, notice: Notice): void;
  /** @returns the notice that the request carries, if there is one that is not too old */
  read(request: FastifyRequest): Notice | null;
  /** Says that it was shown: a reload does not say it again. */
  clear(request: FastifyRequest, reply: FastifyReply): void;
}

/** As long as a redirect may take. */
const TTL_SECONDS = 60;

export function createNotices(cookies: SealedCookies, clock: Clock): Notices {
  return {
    leave(reply, notice) {
      const exp = Math.floor(clock() / 1000) + TTL_SECONDS;
      cookies.set(reply, 'notice', { typ: 'notice', exp, ...notice }, TTL_SECONDS);
    },
    read(request) {
      for (const { payload } of cookies.openAll(request, 'notice')) {
        const notice = parseNotice(payload, clock());
        if (notice !== null) return notice;
      }
      return null;
    },
    clear(request, reply) {
      if (cookies.openAll(request, 'notice').length > 0) cookies.clear(reply, 'notice');
    },
  };
}

/** @returns null when anything is amiss: type, fields, or its time */
export function parseNotice(value: unknown, nowMs: number): Notice | null {
  if (typeof value !== 'object' || value === null) return null;
  const { typ, exp, code, attemptsLeft, retryAt, username, about, next } = value as Record<string, unknown>;
  const wellFormed =
    typ === 'notice' &&
    typeof code === 'string' &&
    Object.hasOwn(problems, code) &&
    isOptional(isCount, attemptsLeft) &&
    isOptional(isCount, retryAt) &&
    isOptional(isText, username) &&
    isOptional(isText, about) &&
    isOptional(isText, next);
  if (!wellFormed || !isCount(exp) || nowMs >= exp * 1000) return null;
  // It was left in the future: the clock was set back, and `retryAt` means nothing any more.
  if (exp * 1000 > nowMs + (TTL_SECONDS + CLOCK_SKEW_SECONDS) * 1000) return null;
  return { code, attemptsLeft, retryAt, username, about, next } as Notice;
}

function isOptional(test: (value: unknown) => boolean, value: unknown): boolean {
  return value === undefined || test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 2048;
}
