import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopbackHost } from '../loopback.ts';
import type { Inbox } from './inbox.ts';
import { renderPage } from './page.ts';

const asset = (name: string, type: string) => ({
  type,
  body: readFileSync(new URL(`./public/${name}`, import.meta.url)),
});

const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * Answers what a browser asks: the page, its assets, the list for scripts.
 *
 * @param host of the API, as the page names it
 */
export function createPageServer(inbox: Inbox, host: string) {
  const assets = new Map([
    ['/assets/phone.css', asset('phone.css', 'text/css; charset=utf-8')],
    ['/assets/phone.js', asset('phone.js', 'text/javascript; charset=utf-8')],
    ['/assets/phone.svg', asset('phone.svg', 'image/svg+xml')],
  ]);

  /** What there is at a path; null is nothing. */
  function find(method: string | undefined, path: string): Found | null {
    if (method === 'DELETE' && path === '/messages') {
      inbox.clear();
      return { type: 'text/plain', body: 'Deleted.\n' };
    }
    if (method !== 'GET' && method !== 'HEAD') return null;
    if (path === '/') return { type: 'text/html; charset=utf-8', body: renderPage(inbox.messages, host) };
    if (path === '/messages') return { type: 'application/json', body: JSON.stringify(inbox.messages) };
    return assets.get(path) ?? null;
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const [path = ''] = (request.url ?? '').split('?');
    const [hostname = ''] = /^(?:\[[^\]]*\]|[^:]*)/.exec(request.headers.host ?? '') ?? [];
    // A name of somebody else's that was made to lead here (DNS rebinding) must not read the codes.
    const isOurs = isLoopbackHost(hostname);
    const found = isOurs ? find(request.method, path) : null;
    const { type, body } = found ?? {
      type: 'text/plain',
      body: isOurs ? 'The page is at /.\n' : 'Ask for 127.0.0.1.\n',
    };
    response.writeHead(found !== null ? 200 : isOurs ? 404 : 421, { ...SECURITY_HEADERS, 'content-type': type });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}

interface Found {
  readonly type: string;
  readonly body: string | Buffer;
}
