import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Challenge, parseChallenge, secondsAhead } from '../challenge/challenge.ts';
import type { RandomBytes } from '../challenge/totp.ts';
import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import { cookieReaches } from '../gateway/cookie-scope.ts';
import type { ReturnTo } from '../gateway/return-to.ts';
import { clientAddress } from '../http/client-address.ts';
import { wantsHtml } from '../http/negotiate.ts';
import { answerWith } from '../http/problem.ts';
import { traceOf } from '../http/request-trace.ts';
import type { Policy, Standing } from '../limits/policy.ts';
import { parseUrl } from '../parse-url.ts';
import type { OpenedCookie, SealedCookies } from '../seal/cookies.ts';
import type { CurrentSession } from '../session/current.ts';
import { foldUsername } from '../username.ts';
import type { PageMessage } from './message.ts';
import { createNotices, type Notice } from './notice.ts';
import { loginLink, type OtpView } from './otp-page.ts';
import type { Pages } from './render.ts';
import { createReturnState } from './return-state.ts';
import { plainCode } from './typed-code.ts';

export interface SignInPageParts {
  readonly cookies: SealedCookies;
  readonly pages: Pages;
  readonly currentSession: CurrentSession;
  readonly returnTo: ReturnTo;
  readonly mask: (phone: string) => string;
  readonly policy: Pick<Policy, 'standing'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly settings: {
    readonly loginTtlSeconds: number;
    readonly resendCooldownSeconds: number;
    readonly origin: string;
    readonly cookieDomain: string | undefined;
  };
}

/**
 * What a browser is shown of the sign-in. A form that fails sends it on to a page that says why, as one that succeeds
 * does: reloading that page, or coming back to it, sends nothing again.
 */
export function createSignInPages(parts: SignInPageParts) {
  const { cookies, pages, currentSession, returnTo, mask, policy, clock, random, settings } = parts;
  const notices = createNotices(cookies, clock);
  const returnState = createReturnState(cookies, clock);
  const forms = new WeakMap<FastifyRequest, string>();

  /**
   * The challenge of a request: the first that can still sign in, else the first that is not closed, else the first. With
   * several cookies, one that has ended must not refuse the user of another. A challenge under the name that is set today
   * comes before all others, because no subdomain can set that one.
   */
  const openChallenge = async (request: FastifyRequest): Promise<Challenge | null> => {
    const opened = cookies.openAll(request, 'challenge');
    const own = validAmong(opened.filter(({ name }) => name === cookies.names.challenge));
    const valid = own.length > 0 ? own : validAmong(opened);
    if (valid.length > 1) return mostUsable(request, valid);
    const [first = null] = valid;
    if (first === null) {
      const seconds = Math.max(0, ...opened.map(({ payload }) => secondsAhead(payload, clock())));
      if (seconds > 0) request.server.events?.({ type: 'clock_behind', trace: traceOf(request), seconds });
    }
    return first;
  };

  /** The valid ones, each once. */
  const validAmong = (opened: readonly OpenedCookie[]): Challenge[] => {
    const valid: Challenge[] = [];
    for (const { payload } of opened) {
      const challenge = parseChallenge(payload, clock(), settings.loginTtlSeconds);
      if (challenge !== null && !valid.some(({ id }) => id === challenge.id)) valid.push(challenge);
    }
    return valid;
  };

  const mostUsable = async (request: FastifyRequest, challenges: readonly Challenge[]): Promise<Challenge | null> => {
    const candidates = await Promise.all(
      challenges.map(async (challenge) => ({ challenge, standing: await standingOf(request, challenge) })),
    );
    const found =
      candidates.find(({ challenge, standing }) => !standing?.closed && !stateOf(challenge, standing)) ??
      candidates.find(({ standing }) => !standing?.closed) ??
      candidates[0];
    return found?.challenge ?? null;
  };

  const takeApart = (request: FastifyRequest): void => {
    const { about, ...fields } = request.body as Record<string, unknown>;
    if (typeof about !== 'string') return;
    forms.set(request, about);
    if (typeof fields['otp'] === 'string') fields['otp'] = plainCode(fields['otp']);
    request.body = fields;
  };

  /** Undefined when the limit store cannot be asked: the page is shown without what it would tell. */
  const standingOf = (request: FastifyRequest, challenge: Challenge) =>
    policy
      .standing(challenge, challenge.phone, { sub: challenge.sub, address: clientAddress(request) })
      .catch((error: unknown): undefined => {
        if (!(error instanceof DoorcodeError)) throw error;
      });

  const otpView = (challenge: Challenge, standing: Standing | undefined): OtpView => {
    const { sub: user, phone, channel, id: about, next, iat, exp } = challenge;
    const now = clock();
    const cooldownMs = settings.resendCooldownSeconds * 1000;
    const guessed = Math.min(cooldownMs, iat * 1000 + cooldownMs - now);
    return {
      ...{ user, to: mask(phone), channel, about, next },
      // Its life begins with the next full second after it was sent, and is not told as longer than it is.
      expiresInMs: Math.min(exp - iat, exp - now / 1000) * 1000,
      resendInMs: standing === undefined ? guessed : standing.resendAtMs - now,
      attemptsLeft: standing?.attemptsLeft,
    };
  };

  /** The login page; each time it is shown its form has a name of its own. */
  const loginPage = (reply: FastifyReply, fields: { next: string; username: string }, message?: PageMessage) =>
    pages.login(reply, { ...fields, about: Buffer.from(random(16)).toString('base64url') }, message);

  /** Sends the browser to the page that says why its form was not carried out. */
  const tell = (reply: FastifyReply, problem: DoorcodeError, more: Partial<Notice>, page: string) => {
    const { code, attemptsLeft, retryAfterSeconds } = problem;
    const retryAt = retryAfterSeconds === undefined ? undefined : Math.ceil(clock() / 1000) + retryAfterSeconds;
    notices.leave(reply, { ...more, code, attemptsLeft, retryAt });
    return reply.removeHeader('retry-after').removeHeader('www-authenticate').redirect(page, 303);
  };

  /**
   * A fault of ours, what another site caused, and a body that was never read because of its size or type: no cookie is
   * opened or set, and no limit is read.
   */
  const isBarePage = ({ code, status }: DoorcodeError) =>
    code === 'internal_error' || code === 'cross_site_request' || status === 413 || status === 415;

  const messageOf = ({ code, attemptsLeft, retryAt }: Notice): PageMessage => ({
    code,
    attemptsLeft,
    retryAfterSeconds: retryAt === undefined ? undefined : Math.max(1, Math.ceil(retryAt - clock() / 1000)),
  });

  /** What an open challenge has to say by itself. */
  const stateOf = (challenge: Challenge, standing: Standing | undefined): PageMessage | undefined => {
    const { attemptsLeft, lockedUntilMs } = standing ?? {};
    if (lockedUntilMs !== undefined) {
      return { code: 'account_locked', retryAfterSeconds: Math.max(1, Math.ceil((lockedUntilMs - clock()) / 1000)) };
    }
    if (attemptsLeft === 0) return { code: 'otp_attempts_exhausted' };
    return clock() >= challenge.exp * 1000 ? { code: 'otp_expired' } : undefined;
  };

  /** What a notice means on the page of a challenge; a notice of another one means nothing there. */
  const onOtpPage = (notice: Notice, { id }: Challenge): PageMessage | undefined => {
    if (isSentAlready(notice)) return { ...messageOf(notice), code: 'codeSentAlready' };
    if (notice.about === id) return messageOf(notice);
    return notice.code === 'otp_used' ? { code: 'newerCode' } : undefined;
  };

  /**
   * Counts that a signed-in user is sent back to an app, which sends them here again without a session.
   *
   * @throws DoorcodeError `redirect_loop` before the browser gives up, which most do after twenty redirects
   */
  const stopLoop = (request: FastifyRequest, reply: FastifyReply, next: string): void => {
    const [target = ''] = next.split(/[?#]/);
    if (!returnState.isLoop(request, reply, target)) return;
    const origin = next.startsWith('/') ? settings.origin : new URL(next).origin;
    if (isFirst(`loop ${origin}`)) {
      request.log.error({ event: 'sys_redirect_loop', origin }, `redirect loop: ${loopCause(settings, origin)}`);
    }
    throw new DoorcodeError('redirect_loop');
  };

  const reportLostSession = (request: FastifyRequest): void => {
    if (!isFirst('session')) return;
    request.log.warn(
      { event: 'sys_session_cookie_lost' },
      'a browser signed in but did not send the session cookie back: it blocks cookies, or COOKIE_DOMAIN or ORIGIN do ' +
        'not match the address that users open',
    );
  };

  /** Whether something happens for the first time, so that it is logged once. Origins are bounded by ALLOWED_RETURN_ORIGINS. */
  const logged = new Set<string>();
  const isFirst = (what: string): boolean => !logged.has(what) && logged.add(what).size > 0;

  return {
    openChallenge,

    /**
     * Takes the forms of our own pages apart, which say what they are about, a challenge or one showing of the login page:
     * a code may be written there as people do. Any other body is taken as it is.
     */
    readForm(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
      request.body ??= {};
      const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
      if (isForm && wantsHtml(request)) takeApart(request);
      done();
    },

    /**
     * What two requests have in common that are one form, sent twice by one browser; undefined for any other request.
     * Address and browser are part of it: who has seen the request elsewhere gets nothing by sending it again.
     *
     * @param challenge of the request; null where there is none yet
     */
    sameForm(request: FastifyRequest, challenge?: Challenge | null): string | undefined {
      const about = forms.get(request);
      if (about === undefined || (challenge !== undefined && challenge?.id !== about)) return undefined;
      // A digest: what was typed is not kept.
      const browser = [clientAddress(request), request.headers['user-agent']];
      return hash('sha256', JSON.stringify([request.url, about, request.body, browser]), 'base64url');
    },

    /**
     * A page that stayed open while the browser began another sign-in, or asked for a newer code, is about a challenge
     * that is no longer there.
     */
    isStale(request: FastifyRequest, challenge: Challenge | null): boolean {
      const about = forms.get(request);
      return challenge !== null && about !== undefined && about !== challenge.id;
    },

    loginFailed: answerWith((request, reply, problem) => {
      if (isBarePage(problem)) return pages.error(reply, problem);
      const body = (request.body ?? {}) as Record<string, unknown>;
      const next = returnTo(body['next']);
      const username = typeof body['username'] === 'string' ? body['username'].slice(0, 256) : '';
      // Sent again, it is refused again: nothing was looked at.
      if (problem.code === 'invalid_request') {
        return loginPage(reply.code(problem.status), { next, username }, problem);
      }
      // The password was right, and its code is on its way: from another tab, or the same form sent twice.
      const sentAlready = problem.limit === 'send-cooldown';
      return tell(reply, problem, { username, next }, sentAlready ? '/otp' : loginLink(next));
    }),

    otpFailed: answerWith(async (request, reply, problem) => {
      if (isBarePage(problem)) return pages.error(reply, problem);
      const challenge = await openChallenge(request);
      if (problem.code === 'invalid_request') {
        reply.code(problem.status);
        if (challenge === null)
          return loginPage(reply, { next: returnTo(returnState.next(request)), username: '' }, problem);
        return pages.otp(reply, otpView(challenge, await standingOf(request, challenge)), problem);
      }
      const about = forms.get(request) ?? challenge?.id ?? 'none';
      return tell(reply, problem, { about, next: challenge?.next ?? returnTo(returnState.next(request)) }, '/otp');
    }),

    async login(request: FastifyRequest, reply: FastifyReply, wanted: unknown) {
      const next = returnTo(wanted);
      const session = await currentSession(request, reply);
      const notice = notices.read(request);
      if (session !== null) {
        if (next !== '/') stopLoop(request, reply, next);
        else notices.clear(request, reply);
        return reply.redirect(next, 303);
      }
      const isLost = returnState.wasSignedIn(request);
      if (isLost) reportLostSession(request);
      notices.clear(request, reply);
      const message = notice === null ? undefined : messageOf(notice);
      return loginPage(
        reply,
        { next, username: notice?.username ?? '' },
        isLost ? { code: 'sessionNotKept' } : message,
      );
    },

    /** A code was accepted, and the answer sets the session cookie. A notice of the finished login is of no more use. */
    signedIn(request: FastifyRequest, reply: FastifyReply): void {
      if (wantsHtml(request)) returnState.signedIn(reply);
      else notices.clear(request, reply);
    },

    async otp(request: FastifyRequest, reply: FastifyReply) {
      const challenge = await openChallenge(request);
      const notice = notices.read(request);
      if (challenge === null) {
        const kept = returnState.next(request);
        const next = returnTo(notice?.next ?? kept);
        if ((await currentSession(request)) !== null) return reply.redirect(next, 303);
        if (notice !== null || kept !== undefined || !comesFromLogin(request))
          return reply.redirect(loginLink(next), 303);
        // The password was right, or we would not have sent the browser here, but our cookie did not come back.
        request.log.info({ event: 'sys_challenge_cookie_lost' }, 'a browser did not keep the cookie of its login');
        return loginPage(reply, { next: returnTo(nextOfReferer(request)), username: '' }, { code: 'cookiesNotKept' });
      }
      // Somebody else's login is open in this browser.
      if (notice !== null && isSentAlready(notice) && !isUser(notice.username, challenge)) {
        return reply.redirect(loginLink(returnTo(notice.next)), 303);
      }
      const standing = await standingOf(request, challenge);
      if (standing?.closed) {
        cookies.clear(reply, 'challenge');
        if ((await currentSession(request)) !== null) return reply.redirect(challenge.next, 303);
        return tell(reply, new DoorcodeError('otp_used'), { username: challenge.sub }, loginLink(challenge.next));
      }
      // It takes the place of the notice, so a reload does not show that again.
      returnState.keepNext(reply, challenge.next);
      const said = notice === null ? undefined : onOtpPage(notice, challenge);
      return pages.otp(reply, otpView(challenge, standing), said ?? stateOf(challenge, standing));
    },
  };
}

export type SignInPages = ReturnType<typeof createSignInPages>;

/** Whether a browser was sent here by the form of our login page, as far as its Referer says. */
function comesFromLogin({ headers, host }: FastifyRequest): boolean {
  const { referer = '' } = headers;
  const url = parseUrl(referer);
  return url?.pathname === '/login' && url.host === host;
}

function nextOfReferer({ headers }: FastifyRequest): string | null {
  return new URL(headers.referer ?? '').searchParams.get('next');
}

/** Why an app may not see the session, for the operator. */
function loopCause(settings: SignInPageParts['settings'], origin: string): string {
  if (!cookieReaches(settings, origin)) {
    const advice =
      settings.cookieDomain === undefined
        ? 'set COOKIE_DOMAIN to a domain above ORIGIN and this host'
        : `it is not at or below COOKIE_DOMAIN (${settings.cookieDomain})`;
    return `the session cookie does not reach ${origin}; ${advice}`;
  }
  if (settings.origin.startsWith('https:') && origin.startsWith('http:')) {
    return `browsers send the session cookie over https only, and not to ${origin}`;
  }
  return (
    `${origin} does not accept the session; check that its gateway passes the Cookie header on to /auth, and that all ` +
    'replicas have the same SESSION_KEYS and COOKIE_DOMAIN'
  );
}

/** Whether a login was refused because its code had just been sent. */
function isSentAlready({ about, code }: Notice): boolean {
  return about === undefined && code === 'too_many_requests';
}

function isUser(username: string | undefined, { sub }: Challenge): boolean {
  return username !== undefined && foldUsername(username) === foldUsername(sub);
}
