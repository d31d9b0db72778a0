import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import view from '@fastify/view';
import { Eta } from 'eta';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { DoorcodeError } from '../errors.ts';
import { serveAsset } from './assets.ts';
import { type BrandSettings, brandOf } from './brand.ts';
import type { Languages } from './language.ts';
import { type Locale, localeNames, locales } from './locales/locales.ts';
import type { Texts } from './locales/texts.ts';
import { asksToType, explain, isHint, type PageMessage } from './message.ts';
import { type OtpPageSettings, type OtpView, otpPage } from './otp-page.ts';
import { prose } from './prose.ts';

export interface PageSettings extends OtpPageSettings, BrandSettings {
  readonly languages: Pick<Languages, 'of'>;
}

/** The pages. All but those of a failure by itself answer 200, whatever they have to say. */
export interface Pages {
  login(
    reply: FastifyReply,
    fields: { readonly next: string; readonly username: string; readonly about: string },
    message?: PageMessage,
  ): FastifyReply;
  otp(reply: FastifyReply, otp: OtpView, message?: PageMessage): FastifyReply;
  /** @param session times in milliseconds since the Unix epoch */
  home(
    reply: FastifyReply,
    session: { readonly user: string; readonly sinceMs: number; readonly untilMs: number },
  ): FastifyReply;
  /** Answers with the status of the problem. */
  error(reply: FastifyReply, problem: DoorcodeError): FastifyReply;
  /** The description of the API, in English only. */
  docs(reply: FastifyReply, page: object): FastifyReply;
  /** Signed out as far as that goes without the limit store. */
  signedOutHere(reply: FastifyReply, problem: DoorcodeError): FastifyReply;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const languageNames = localeNames.map((name) => ({ name, label: locales[name].language }));

/** Registers the template engine and what the pages are made of. */
export async function registerPages(app: FastifyInstance, settings: PageSettings): Promise<Pages> {
  await app.register(view, {
    engine: { eta: new Eta({ views: here('./views'), cache: true, autoTrim: [false, 'nl'] }) },
    root: here('./views'),
    layout: 'layout.eta',
  });

  const brand = brandOf(app, settings);
  const stylesheetOf = (name: string, before = '') =>
    serveAsset(
      app,
      { name, ending: 'css', type: 'text/css; charset=utf-8' },
      before + readFileSync(here(`./public/${name}.css`), 'utf8'),
    );
  const stylesheet = stylesheetOf('doorcode', brand.css);
  const docsStylesheet = stylesheetOf('docs');
  const script = serveAsset(
    app,
    { name: 'doorcode', ending: 'js', type: 'text/javascript; charset=utf-8' },
    readFileSync(here('./public/doorcode.js')),
  );

  const frame = { appName: settings.appName, icon: brand.icon, logo: brand.logo, stylesheet };

  /** Shows one page in the language of its reader. */
  const show = (
    reply: FastifyReply,
    name: 'login' | 'otp' | 'home' | 'error',
    data: (t: Texts, lang: Locale) => object,
    message?: PageMessage,
    words = (t: Texts) => (message === undefined ? '' : explain(message, t)),
  ) => {
    const lang = settings.languages.of(reply.request);
    const t: Texts = locales[lang];
    allowScript(reply);
    return reply
      .type('text/html; charset=utf-8')
      .header('content-language', lang)
      .view(`${name}.eta`, {
        ...frame,
        t,
        lang,
        languages: languageNames,
        languageLink: languageLink(name, reply),
        script,
        title: t[name].title,
        message: words(t),
        isHint: message !== undefined && isHint(message.code, t),
        focusMessage: message !== undefined && !asksToType(message),
        ...data(t, lang),
      });
  };

  return {
    login: (reply, fields, message) => show(reply, 'login', () => fields, message),

    otp: (reply, otp, message) => show(reply, 'otp', (t) => otpPage(otp, message, settings, t), message),

    home: (reply, { user, sinceMs, untilMs }) =>
      show(reply, 'home', (_t, lang) => ({ user, since: moment(sinceMs, lang), until: moment(untilMs, lang) })),

    error: (reply, problem) => show(reply.code(problem.status), 'error', () => ({}), problem),

    docs: (reply, page) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-language', 'en')
        .view('docs.eta', {
          ...frame,
          lang: 'en',
          moreStylesheets: [docsStylesheet],
          title: 'The API',
          message: '',
          prose,
          ...page,
        }),

    signedOutHere: (reply, problem) =>
      show(
        reply.code(problem.status),
        'error',
        () => ({}),
        problem,
        (t) => t.error.signedOutHere,
      ),
  };
}

/** Only pages run a script, our own. */
function allowScript(reply: FastifyReply): void {
  const policy = reply.getHeader('content-security-policy');
  if (policy !== undefined) reply.header('content-security-policy', `${policy};script-src 'self'`);
}

/** Where a choice of language leads: to the page that is shown, all that it is about included. */
function languageLink(name: 'login' | 'otp' | 'home' | 'error', { request }: FastifyReply): string {
  const [, query = ''] = request.url.split('?', 2);
  const path = { login: '/login', otp: '/otp', home: '/', error: '/login' }[name];
  const params = new URLSearchParams(name === 'login' ? query : '');
  params.delete('lang');
  return `${path}?${params.size > 0 ? `${params}&` : ''}lang=`;
}

/** A time for programs and for people, who read UTC where no script knows better. */
function moment(ms: number, lang: Locale): { readonly iso: string; readonly text: string } {
  const text = new Intl.DateTimeFormat(lang, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(ms);
  return { iso: `${new Date(ms).toISOString().slice(0, 19)}Z`, text: `${text} UTC` };
}
