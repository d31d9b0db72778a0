import { readFileSync, statSync } from 'node:fs';
import type { EnvironmentReader } from './environment.ts';
import { type Palette, paletteOf } from './pages/palette.ts';

/** A picture that we serve ourselves. */
export interface LogoFile {
  readonly content: Buffer;
  readonly ending: 'svg' | 'png';
  readonly type: 'image/svg+xml' | 'image/png';
}

/** How the pages look. */
export interface Brand {
  readonly palette: Palette;
  /** Instead of the name; a URL is fetched by browsers, from where it is. */
  readonly logo: LogoFile | { readonly url: string } | undefined;
}

const DEFAULT_COLOUR = '#2456d6';
/** Everybody who signs in waits for it. */
const MAX_LOGO_BYTES = 64 * 1024;
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

export function readBrand(env: EnvironmentReader): Brand {
  return { palette: readPalette(env), logo: readLogo(env) };
}

function readPalette(env: EnvironmentReader): Palette {
  const standard = paletteOf(DEFAULT_COLOUR) as Palette;
  const colour = env.text('BRAND_COLOR');
  if (colour === undefined) return standard;
  try {
    const palette = paletteOf(colour);
    if (palette !== null) return palette;
    env.fault('BRAND_COLOR', 'must be a colour such as #2456d6');
  } catch (error) {
    env.fault('BRAND_COLOR', (error as Error).message);
  }
  return standard;
}

function readLogo(env: EnvironmentReader): Brand['logo'] {
  const url = env.url('LOGO_URL');
  const path = env.text('LOGO_FILE');
  if (url !== undefined && path !== undefined) env.fault('LOGO_FILE', 'set either LOGO_URL or LOGO_FILE, not both');
  if (url !== undefined) {
    if (url.protocol !== 'https:') env.fault('LOGO_URL', 'must be https');
    return { url: url.href };
  }
  return path === undefined ? undefined : readLogoFile(env, path);
}

function readLogoFile(env: EnvironmentReader, path: string): LogoFile | undefined {
  try {
    if (statSync(path).size > MAX_LOGO_BYTES) {
      env.fault('LOGO_FILE', `the file has more than ${MAX_LOGO_BYTES / 1024} KiB`);
      return undefined;
    }
    const content = readFileSync(path);
    if (content.subarray(0, PNG.length).equals(PNG)) return { content, ending: 'png', type: 'image/png' };
    if (/<svg[\s>]/.test(content.toString('utf8'))) return { content, ending: 'svg', type: 'image/svg+xml' };
    env.fault('LOGO_FILE', 'must be an SVG or a PNG');
  } catch (error) {
    env.fault('LOGO_FILE', `the file cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return undefined;
}
