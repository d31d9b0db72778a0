/**
 * A username as a header value: letters, digits and `-._~@+` stand for themselves, every other byte of its UTF-8 is
 * percent-encoded (RFC 3986 §2.1), so `decodeURIComponent` and its like in every language give the name back. Headers
 * have no encoding of their own beyond ASCII (RFC 9110 §5.5), and no byte that is left can end a header or part a list.
 *
 * @throws URIError when the name holds a lone surrogate, which has no UTF-8 form
 */
export function encodeRemoteUser(username: string): string {
  if (/^[\w.~@+-]*$/.test(username)) return username;
  return encodeURIComponent(username).replaceAll(
    /[!'()*]|%40|%2B/g,
    (part) => kept[part] ?? `%${part.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const kept: Readonly<Record<string, string>> = { '%40': '@', '%2B': '+' };
