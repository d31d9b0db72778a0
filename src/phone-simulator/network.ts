import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Caller } from './caller.ts';
import { type Fault, SLOW_MS } from './faults.ts';
import type { Inbox } from './inbox.ts';
import type { Answer, Callback, Endpoint, Order, SigningKeys } from './provider.ts';
import { readSpoken } from './spoken.ts';
import { sendHalf } from './wire.ts';

/** Calls back after a time in milliseconds. */
export type Schedule = (ms: number, callback: () => void) => void;

export interface NetworkOptions {
  readonly inbox: Inbox;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly schedule: Schedule;
}

/** An order that waits for its answer. */
export interface Pending {
  readonly endpoint: Endpoint;
  readonly order: Order;
  readonly keys: SigningKeys;
  readonly response: ServerResponse;
  /** Sends the answer. */
  answer(given: Answer): void;
}

/** What lies between the API and the phone, with all that can go wrong there. */
export interface Network {
  carry(pending: Pending, fault: Fault | null): void;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

/** What a call says, or why it says nothing. */
interface Words {
  readonly text: string;
  readonly language?: string;
  readonly error?: string;
}

const ERROR_PAGE = '<!doctype html><title>500</title><h1>Internal Server Error</h1>\n';

/** Carries messages and calls to the phone, and tells the service what became of them. */
export function createNetwork({ inbox, caller, clock, schedule }: NetworkOptions): Network {
  const underWay = new Set<Promise<void>>();

  function accept({ endpoint, order, keys, answer }: Pending, copies = 1, respond = answer): void {
    const id = endpoint.newId();
    respond(endpoint.accept(order, id, clock()));
    const work = deliver(endpoint, order, id, keys, copies);
    underWay.add(work);
    work.finally(() => underWay.delete(work));
  }

  /** The phone rings, and the service is told. @param copies 0: it never arrives */
  async function deliver(endpoint: Endpoint, order: Order, id: string, keys: SigningKeys, copies: number) {
    const { provider, channel } = endpoint;
    const { to, from, receipt } = order;
    const question = copies > 0 ? endpoint.pickUp(order, id, keys) : null;
    const words: Words = question === null ? order : await ask(question);
    for (let copy = 0; copy < copies; copy += 1) {
      inbox.add({
        provider,
        channel,
        id,
        to,
        from,
        text: words.text,
        ...(words.language === undefined ? {} : { language: words.language }),
        at: clock(),
        ...(receipt === undefined ? {} : { statusCallback: receipt.url }),
        ...(words.error === undefined ? {} : { error: words.error }),
      });
    }
    // In turn, because they tell a story.
    for (const callback of endpoint.receipts(order, id, copies > 0, keys)) await caller.call(callback);
  }

  async function ask(question: Callback): Promise<Words> {
    const answer = await caller.call(question);
    if (answer === null) return { text: '', error: 'The answer URL did not answer, or is not on this machine.' };
    if (answer.status !== 200) return { text: '', error: `The answer URL answered ${answer.status}.` };
    return readSpoken(answer.text, 'Speak') ?? { text: '', error: 'The answer URL gave no XML that can be spoken.' };
  }

  const answers: Readonly<Record<Fault | 'none', (pending: Pending) => void>> = {
    none: (pending) => accept(pending),
    rejected: ({ endpoint, order, answer }) => answer(endpoint.refuse('rejected', order.to)),
    opted_out: ({ endpoint, order, answer }) => answer(endpoint.refuse('opted_out', order.to)),
    too_many_requests: ({ endpoint, answer }) => answer(endpoint.refuse('too_many_requests')),
    server_error: ({ answer }) => answer({ status: 500, body: ERROR_PAGE }),
    reset: ({ response }) => void response.socket?.destroy(),
    hang: () => {},
    accepted_hang: (pending) => accept(pending, 1, (given) => sendHalf(pending.response, given)),
    slow: (pending) => schedule(SLOW_MS, () => accept(pending)),
    duplicate: (pending) => accept(pending, 2),
    undelivered: (pending) => accept(pending, 0),
  };

  return {
    carry: (pending, fault) => answers[fault ?? 'none'](pending),
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
