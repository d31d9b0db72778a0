import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { preferredLanguage } from '../http/negotiate.ts';
import { type Locale, localeNames } from './locales/locales.ts';

/** The language in which somebody reads. */
export interface Languages {
  /** The one that was chosen on a page, else the one that the browser prefers. */
  of(request: FastifyRequest): Locale;
  /**
   * Carries out a choice, `?lang=de` on any page, and shows the same page without it. A preHandler: nothing is read or
   * counted before.
   */
  change(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined>;
}

/** What every page takes. */
export const languageQuery = {
  type: 'object',
  properties: { lang: { type: 'string', enum: localeNames, description: 'the language to go on in' } },
} as const;

const COOKIE = 'doorcode-locale';
const YEAR_SECONDS = 365 * 86_400;

/**
 * The choice is kept in a cookie that holds its two letters, and nothing else.
 *
 * @param secure whether users reach us over HTTPS
 */
export function createLanguages(app: FastifyInstance, secure: boolean): Languages {
  // Over HTTPS the prefix keeps subdomains from setting it (RFC 6265bis §4.1.3). The version before had none.
  const name = secure ? `__Host-${COOKIE}` : COOKIE;
  const attributes = { path: '/', maxAge: YEAR_SECONDS, sameSite: 'lax', httpOnly: true, secure } as const;
  const named = (name: unknown) => localeNames.find((known) => known === name);
  return {
    of(request) {
      const { cookie } = request.headers;
      if (!cookie?.includes(COOKIE)) return preferredLanguage(request, localeNames);
      const values = app.parseCookie(cookie);
      return named(values[name]) ?? named(values[COOKIE]) ?? preferredLanguage(request, localeNames);
    },
    async change(request, reply) {
      const lang = named((request.query as { lang?: unknown }).lang);
      if (lang === undefined) return undefined;
      const url = new URL(request.url, 'http://localhost');
      url.searchParams.delete('lang');
      return reply
        .header('set-cookie', app.serializeCookie(name, lang, attributes))
        .redirect(url.pathname + url.search, 303);
    },
  };
}
