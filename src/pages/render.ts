import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import view from '@fastify/view';
import { Eta } from 'eta';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { DoorcodeError } from '../errors.ts';
import { preferredLanguage } from '../http/negotiate.ts';
import type { Operation } from '../openapi/operation.ts';
import { localeNames, locales } from './locales/locales.ts';
import type { Texts } from './locales/texts.ts';
import { prose } from './prose.ts';

/** What the code page needs to know of an open challenge. */
export interface OtpView {
  /** The masked number. */
  readonly to: string;
  readonly channel: 'sms' | 'voice';
}

export interface PageSettings {
  readonly appName: string;
  readonly otpDigits: number;
  readonly otpTtlSeconds: number;
  readonly channels: readonly ('sms' | 'voice')[];
}

/** The pages. Each answers with the status of the problem that it shows, or 200. */
export interface Pages {
  login(reply: FastifyReply, fields: { next: string; username?: string }, problem?: DoorcodeError): FastifyReply;
  otp(reply: FastifyReply, otp: OtpView, problem?: DoorcodeError, status?: number): FastifyReply;
  home(reply: FastifyReply, session: { user: string; since: string; until: string }): FastifyReply;
  error(reply: FastifyReply, problem: DoorcodeError): FastifyReply;
  /** The description of the API, in English only. */
  docs(reply: FastifyReply, page: object): FastifyReply;
  /** Signed out as far as that goes without the limit store. */
  signedOutHere(reply: FastifyReply, problem: DoorcodeError): FastifyReply;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Registers the template engine and the stylesheet, whose address changes with its content. */
export async function registerPages(app: FastifyInstance, settings: PageSettings): Promise<Pages> {
  await app.register(view, {
    engine: { eta: new Eta({ views: here('./views'), cache: true, autoTrim: [false, 'nl'] }) },
    root: here('./views'),
    layout: 'layout.eta',
  });

  const stylesheet = serveStylesheet(app, 'doorcode');
  const docsStylesheet = serveStylesheet(app, 'docs');

  /** Shows one page in the language that its reader prefers. */
  const show = (
    reply: FastifyReply,
    name: 'login' | 'otp' | 'home' | 'error',
    data: (t: Texts) => object,
    problem?: DoorcodeError,
    status = problem?.status ?? 200,
    words = (t: Texts) => (problem === undefined ? '' : explain(problem, t)),
  ) => {
    const lang = preferredLanguage(reply.request, localeNames);
    const t: Texts = locales[lang];
    const frame = { t, lang, appName: settings.appName, stylesheet, title: t[name].title, error: words(t) };
    return reply
      .code(status)
      .type('text/html; charset=utf-8')
      .header('content-language', lang)
      .view(`${name}.eta`, { ...frame, ...data(t) });
  };

  return {
    login: (reply, { next, username = '' }, problem) => show(reply, 'login', () => ({ next, username }), problem),

    otp: (reply, { to, channel }, problem, status) => {
      const code = problem?.code;
      const data = (t: Texts) => ({
        sent: fill(channel === 'voice' ? t.otp.sentByVoice : t.otp.sentBySms, { to }),
        lifetime: fill(t.otp.lifetime, { seconds: settings.otpTtlSeconds }),
        codeLabel: fill(t.otp.code, { digits: settings.otpDigits }),
        digits: settings.otpDigits,
        mayGuess:
          code !== 'otp_expired' &&
          code !== 'otp_used' &&
          code !== 'otp_attempts_exhausted' &&
          problem?.attemptsLeft !== 0,
        mayResend: code !== 'otp_used' && code !== 'account_locked',
        sms: settings.channels.includes('sms'),
        voice: settings.channels.includes('voice'),
      });
      return show(reply, 'otp', data, problem, status);
    },

    home: (reply, session) => show(reply, 'home', () => session),

    error: (reply, problem) => show(reply, 'error', () => ({}), problem),

    docs: (reply, page) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-language', 'en')
        .view('docs.eta', {
          lang: 'en',
          appName: settings.appName,
          stylesheet,
          moreStylesheets: [docsStylesheet],
          title: 'The API',
          error: '',
          prose,
          ...page,
        }),

    signedOutHere: (reply, problem) =>
      show(
        reply,
        'error',
        () => ({}),
        problem,
        problem.status,
        (t) => t.error.signedOutHere,
      ),
  };
}

const stylesheetOperation: Operation = {
  id: 'stylesheet',
  group: 'service',
  summary: 'A stylesheet of the pages; its name changes with its content',
  answers: { 200: { description: 'To be kept for as long as wanted', type: 'text/css' } },
  errors: ['not_found'],
  path: '/assets/:file',
};

/** @returns the address, which changes with the content, so that it can be kept for as long as wanted */
function serveStylesheet(app: FastifyInstance, name: string): string {
  const css = readFileSync(here(`./public/${name}.css`));
  const address = `/assets/${name}-${createHash('sha256').update(css).digest('hex').slice(0, 12)}.css`;
  app.get(address, { config: { operation: stylesheetOperation } }, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'public, max-age=31536000, immutable').send(css),
  );
  return address;
}

/** Puts a problem into words: what is wrong, what is left, when to try again. */
function explain({ code, attemptsLeft, retryAfterSeconds }: DoorcodeError, t: Texts): string {
  const sentences: string[] = [t.problems[code]];
  if (code === 'otp_invalid' && attemptsLeft !== undefined) {
    const { none, one, other } = t.attemptsLeft;
    sentences.push(attemptsLeft === 0 ? none : attemptsLeft === 1 ? one : fill(other, { count: attemptsLeft }));
  }
  if (retryAfterSeconds !== undefined) {
    const wait =
      retryAfterSeconds < 120
        ? fill(t.wait.seconds, { count: retryAfterSeconds })
        : fill(t.wait.minutes, { count: Math.ceil(retryAfterSeconds / 60) });
    sentences.push(fill(t.retryAfter, { wait }));
  }
  return sentences.join(' ');
}

function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => String(values[name]));
}
