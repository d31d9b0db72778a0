import type { FastifyInstance } from 'fastify';
import type { Brand } from '../brand-config.ts';
import { serveAsset } from './assets.ts';
import type { Scheme } from './palette.ts';

export interface BrandSettings {
  readonly appName: string;
  readonly brand: Brand;
}

export interface BrandParts {
  /** The beginning of the stylesheet. */
  readonly css: string;
  /** Addresses. */
  readonly icon: string;
  readonly logo: string | undefined;
}

/** What the pages show of a brand. */
export function brandOf(app: FastifyInstance, { brand: { palette, logo } }: BrandSettings): BrandParts {
  const scheme = ({ face, onFace, link }: Scheme) => `:root{--face:${face};--on-face:${onFace};--link:${link}}`;
  const css = `${scheme(palette.light)}\n@media (prefers-color-scheme:dark){${scheme(palette.dark)}}\n`;
  const square = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="5" fill="${palette.light.face}"/></svg>`;
  const icon = serveAsset(app, { name: 'icon', ending: 'svg', type: 'image/svg+xml' }, square);
  if (logo === undefined || 'url' in logo) return { css, icon, logo: logo?.url };
  const { content, ending, type } = logo;
  return { css, icon, logo: serveAsset(app, { name: 'logo', ending, type }, content) };
}

/** Where pictures may come from, for the Content-Security-Policy. */
export function imageSources({ brand: { logo } }: Pick<BrandSettings, 'brand'>): string[] {
  return logo !== undefined && 'url' in logo ? ["'self'", new URL(logo.url).origin] : ["'self'"];
}
