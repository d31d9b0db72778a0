import { createServer } from 'node:http';
import type { Clock } from '../clock.ts';
import { verifySignature } from '../delivery/webhook-signature.ts';
import { listen } from '../listening.ts';

/** A message as the webhook sender hands it over. */
export interface Received {
  readonly to: string;
  readonly code: string;
  readonly text: string;
  /** When it was signed, by the deployment's clock, rounded down to a second. */
  readonly signedAtMs: number;
  /** How far the deployment's clock was ahead of ours, milliseconds; exact to a second. */
  readonly aheadMs: number;
}

/** Where the deployment under attack sends its codes. */
export interface Inbox {
  /** What `WEBHOOK_URL` has to be. */
  readonly url: string;
  /** In order of arrival. */
  readonly messages: readonly Received[];
  /** Messages that were turned away, because their signature was not of our secret. */
  readonly refused: number;
  close(): Promise<void>;
}

export interface InboxOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly clock: Clock;
}

const MAX_BODY_BYTES = 64 * 1024;

/**
 * Listens for the messages of a webhook sender whose secret is known.
 *
 * @throws Error with the code EADDRINUSE, when the port is taken
 */
export async function startInbox({ host, port, secret, clock }: InboxOptions): Promise<Inbox> {
  const messages: Received[] = [];
  let refused = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) return void request.destroy();
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    const header = request.headers['x-doorcode-signature'];
    const signature = typeof header === 'string' ? header : undefined;
    const message = verifySignature(signature, body, secret, clock() / 1000) ? parseMessage(body) : null;
    if (message === null) {
      refused += 1;
      response.writeHead(401).end();
      return;
    }
    const signedAtMs = Number(/^t=(\d+)/.exec(signature ?? '')?.[1]) * 1000;
    messages.push({ ...message, signedAtMs, aheadMs: signedAtMs - clock() });
    response.writeHead(204).end();
  });
  const { address, close } = await listen(server, host, port);
  return {
    url: `http://${address}/`,
    messages,
    get refused() {
      return refused;
    },
    close,
  };
}

function parseMessage(body: Buffer): { to: string; code: string; text: string } | null {
  try {
    const { to, code, text } = JSON.parse(body.toString()) as Record<string, unknown>;
    return typeof to === 'string' && typeof code === 'string' && typeof text === 'string' ? { to, code, text } : null;
  } catch {
    return null;
  }
}
