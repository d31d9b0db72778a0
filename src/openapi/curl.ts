import type { DocumentedOperation } from './document.ts';

/**
 * A command that calls an operation with the document's own examples. Cookies are kept in a file `jar`, the API key comes
 * from the environment.
 */
export function curlCommand(
  origin: string,
  method: string,
  path: string,
  { parameters = [], requestBody, responses, security = [] }: DocumentedOperation,
): string {
  const asked = new Set(security.flatMap((choice) => Object.keys(choice)));
  const successes = Object.entries(responses).filter(([status]) => Number(status) < 400);
  const setsCookies = successes.some(([, { headers = {} }]) => 'Set-Cookie' in headers);
  const isPage = successes.some(([, { content = {} }]) => 'text/html' in content);
  const [[type, media] = []] = Object.entries(requestBody?.content ?? {});
  const required = parameters.filter((parameter) => parameter.in === 'query' && parameter.required);
  const query = required.map(({ name }) => `${name}=${name.toUpperCase()}`).join('&');
  const url = origin + path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => name.toUpperCase());

  const parts = ['curl'];
  if (asked.has('session') || asked.has('challenge') || setsCookies) parts.push('-b jar');
  if (setsCookies) parts.push('-c jar');
  if (asked.has('apiKey')) parts.push('-H "authorization: Bearer $DOORCODE_KEY"');
  if (isPage) parts.push("-H 'accept: text/html'");
  if (type === undefined || media === undefined) {
    if (method !== 'GET') parts.push(`-X ${method}`);
  } else if (type === 'application/json') {
    parts.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(exampleOf(media)))}`);
  } else {
    parts.push(`-d ${quoted(new URLSearchParams(exampleOf(media) as Record<string, string>).toString())}`);
  }
  parts.push(quoted(query === '' ? url : `${url}?${query}`));
  return parts.join(' ');
}

function exampleOf({ example }: { readonly example?: unknown }): unknown {
  return example ?? {};
}

/** As one word of a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:=&-]+$/.test(text) && !text.includes('&') ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
