/** The colours of one scheme that follow from a brand's, each `#rrggbb`. */
export interface Scheme {
  /** Of buttons. */
  readonly face: string;
  /** Of words on buttons. */
  readonly onFace: string;
  /** Of links, and of what has the focus. */
  readonly link: string;
}

export interface Palette {
  readonly light: Scheme;
  readonly dark: Scheme;
}

/** What the words stand on: the cards of doorcode.css. */
export const papers = { light: '#ffffff', dark: '#1b1e25' } as const;

/** WCAG 2.2: 1.4.3 for words, 1.4.11 for what has to be seen as a button. */
const WORDS = 4.5;
const SHAPES = 3;

type Rgb = readonly [number, number, number];

/**
 * Derives all colours from one. On light paper buttons have it as it is, on dark paper a lighter one where it must be;
 * links are darkened or lightened until they can be read.
 *
 * @param colour `#rgb` or `#rrggbb`
 * @returns null when the colour is none
 * @throws RangeError that says what is wrong and names the nearest colour that would do, when it cannot be seen on white
 */
export function paletteOf(colour: string): Palette | null {
  const brand = parse(colour);
  if (brand === null) return null;
  const contrast = contrastOf(brand, rgbOf(papers.light));
  if (contrast < SHAPES) {
    const nearest = hex(towards(brand, papers.light, SHAPES));
    throw new RangeError(
      `has a contrast of ${contrast.toFixed(1)}:1 to white, and a button needs ${SHAPES}:1 to be seen; ${nearest} would do`,
    );
  }
  const scheme = (paper: string): Scheme => {
    const face = towards(brand, paper, SHAPES);
    return { face: hex(face), onFace: wordsOn(face), link: hex(towards(brand, paper, WORDS)) };
  };
  return { light: scheme(papers.light), dark: scheme(papers.dark) };
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2, contrast ratio). */
export function contrast(one: string, other: string): number {
  return contrastOf(rgbOf(one), rgbOf(other));
}

function contrastOf(one: Rgb, other: Rgb): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) =>
    part <= 0.04045 * 255 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The nearest colour on the way to black or white, away from the paper, that has the contrast. */
function towards(colour: Rgb, paper: string, wanted: number): Rgb {
  const end = luminance(rgbOf(paper)) > 0.5 ? 0 : 255;
  for (let percent = 0; percent < 100; percent += 1) {
    const mixed = colour.map((part) => Math.round(part + ((end - part) * percent) / 100)) as unknown as Rgb;
    if (contrastOf(mixed, rgbOf(paper)) >= wanted) return mixed;
  }
  return [end, end, end];
}

/** One of black and white can be read on any colour: with the better one the contrast is 4.58 at the least. */
function wordsOn(face: Rgb): string {
  const [white, black] = ['#ffffff', '#000000'] as const;
  // White on a strong colour is what people expect of a button.
  return contrastOf(face, rgbOf(white)) >= WORDS ? white : black;
}

function parse(colour: string): Rgb | null {
  const digits = /^#(?:[\da-f]{3}|[\da-f]{6})$/i.test(colour) ? colour.slice(1) : null;
  if (digits === null) return null;
  const pairs = digits.length === 3 ? [...digits].map((digit) => digit + digit) : (digits.match(/../g) ?? []);
  return pairs.map((pair) => Number.parseInt(pair, 16)) as unknown as Rgb;
}

function rgbOf(colour: string): Rgb {
  return parse(colour) ?? [0, 0, 0];
}

function hex(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
