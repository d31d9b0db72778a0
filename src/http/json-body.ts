import type { FastifyInstance } from 'fastify';
import { DoorcodeError } from '../errors.ts';

/**
 * Replaces Fastify's body parsers for JSON and plain text: JSON that names a member twice is refused, because whoever
 * looked at the request before us (a gateway, a firewall) may have read the other value (RFC 8259 §4), and so is
 * `__proto__`. Plain text is no longer accepted at all.
 */
export function registerJsonBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Some clients always name the type. Routes whose body is optional take it as none, all others refuse it.
    if (body === '') {
      done(null, undefined);
      return;
    }
    if (hasDuplicateMembers(body)) {
      done(new DoorcodeError('invalid_request', { detail: 'a JSON member is named twice' }));
      return;
    }
    parse(request, body, done);
  });
}

// A string without an end is one token as well: looked at again from each of its quotes, 16 KiB would take long.
const TOKENS = /"(?:[^"\\]|\\.?)*(?:"(?<colon>\s*:)?|$)|[{}]/gs;

/**
 * Whether an object in a JSON text names a member twice, escapes included (`"\u0061"` is `"a"`).
 *
 * @param json for text that is not JSON the answer means nothing
 */
export function hasDuplicateMembers(json: string): boolean {
  // One member, as most bodies have, cannot be named twice.
  if (json.indexOf(':') === json.lastIndexOf(':')) return false;
  const objects: Set<string>[] = [];
  for (const token of json.matchAll(TOKENS)) {
    if (token[0] === '{') objects.push(new Set());
    else if (token[0] === '}') objects.pop();
    else if (token.groups?.['colon'] !== undefined) {
      const quoted = token[0].slice(0, -token.groups['colon'].length);
      const name = unquote(quoted);
      const members = objects.at(-1);
      if (members?.has(name)) return true;
      members?.add(name);
    }
  }
  return false;
}

function unquote(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    // A broken escape: the parser that comes next refuses the whole text.
    return quoted;
  }
}
