/** What a call says, and in which language where it is told. */
export interface Spoken {
  readonly text: string;
  readonly language?: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** An element without others inside it; its name, attributes and text. */
const ELEMENT = /\s*<(\w+)((?:\s+[\w:.-]+="[^"<]*")*)\s*(?:\/>|>([^<]*)<\/\1\s*>)/gy;
const DOCUMENT = /^\s*(?:<\?xml\s[^?]*\?>\s*)?<Response>(.*?)\s*<\/Response>\s*$/s;

/**
 * Reads the words out of TwiML (`Say`) or Plivo XML (`Speak`). A strict, small reading: a `Response` with `Say` or
 * `Speak` and pauses in it, as a service needs them that speaks codes, and nothing else.
 *
 * @returns null for what is not such a document, or says nothing
 */
export function readSpoken(xml: string, verb: 'Say' | 'Speak'): Spoken | null {
  const [, content = ''] = DOCUMENT.exec(xml) ?? [];
  const elements = [...content.matchAll(ELEMENT)];
  if (elements.map(([whole]) => whole).join('') !== content) return null;
  if (elements.some(([, name]) => name !== verb && name !== 'Pause' && name !== 'Wait')) return null;
  const said = elements.filter(([, name]) => name === verb);
  const text = unescaped(said.map(([, , , words = '']) => words.trim()).join(' '));
  if (text === null || text.trim() === '') return null;
  const [, language] = /\slanguage="([^"]*)"/.exec(said[0]?.[2] ?? '') ?? [];
  return { text, ...(language === undefined ? {} : { language }) };
}

/** @returns null when an ampersand stands for itself, or for an entity that XML does not know */
function unescaped(text: string): string | null {
  let known = true;
  const plain = text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));|&/gi, (_, decimal, hex, name: string) => {
    const point = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : Number.NaN;
    if (point > 0 && point <= 0x10ffff) return String.fromCodePoint(point);
    const character = Object.hasOwn(ENTITIES, name ?? '') ? ENTITIES[name] : undefined;
    known &&= character !== undefined;
    return character ?? '';
  });
  return known ? plain : null;
}
