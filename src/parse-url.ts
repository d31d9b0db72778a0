/**
 * Parses a URL, as `URL.parse` of Node.js 22 does.
 *
 * `URL.canParse` cannot be used: on Node.js 20 and 22 it returns false for every URL with a character beyond ASCII once it
 * has been called some thousand times and V8 has optimized the call.
 *
 * @returns undefined for text that is not a URL
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
