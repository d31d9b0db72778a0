import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './provider.ts';

/** Larger than any message or call. */
export const MAX_BODY_BYTES = 64 * 1024;

/** Reads a body to its end. @returns null when it is larger than any has reason to be */
export async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString();
}

export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const [type, text] = encoded(body);
  response.writeHead(status, { 'content-type': type, ...headers }).end(text);
}

/** Sends the head and half of the body; the rest never comes. */
export function sendHalf(response: ServerResponse, { status, body, headers }: Answer): void {
  const [type, text] = encoded(body);
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), ...headers });
  response.write(text.slice(0, text.length / 2));
}

function encoded(body: object | string): [type: string, text: string] {
  return typeof body === 'string'
    ? ['text/html; charset=utf-8', body]
    : ['application/json; charset=utf-8', JSON.stringify(body)];
}
