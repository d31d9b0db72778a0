import { inspect } from 'node:util';
import type { Test } from 'tap';
import { DeliveryError, type Message, type Sender } from '../../src/delivery/sender.ts';

export const number = '+15550100101';
export const code = '493817';

export function message(fields: Partial<Message> = {}): Message {
  const text = `${code} is your Demo code.\n@login.example #${code}`;
  return { channel: 'sms', to: number, text, code, locale: 'en', expiresAt: 1_767_225_660, ...fields };
}

/** A trace as a request may come with; every sender passes it on. */
export const trace = {
  requestId: '1',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'rojo=1',
};
export const traceHeaders = { traceparent: trace.traceparent, tracestate: trace.tracestate };

/** A signal that never fires. */
export const patient = () => new AbortController().signal;

export interface Contract {
  /** A sender whose other end accepts everything. */
  readonly accepting: (t: Test) => Promise<Sender> | Sender;
  /** Senders that fail, by what happens to them; their other ends repeat the code and the number in what they say. */
  readonly failing?: Readonly<Record<string, (t: Test) => Promise<Sender> | Sender>>;
}

/** What every sender keeps to; see the port, `src/delivery/sender.ts`. */
export async function senderContract(t: Test, { accepting, failing = {} }: Contract): Promise<void> {
  await t.test('what is accepted has a receipt in the sender’s name, on every channel', async (t) => {
    const sender = await accepting(t);
    t.ok(sender.channels.length > 0);
    for (const channel of sender.channels) {
      const receipt = await sender.send(message({ channel }), patient());
      t.equal(receipt.sender, sender.name);
      t.not(receipt.id, '');
    }
  });

  await t.test('an attempt that is aborted before it starts fails as temporary', async (t) => {
    const sender = await accepting(t);
    const error = await failure(sender.send(message(), AbortSignal.abort()));
    t.match(error, { kind: 'temporary', reason: 'timeout' });
    t.notOk(leaks(error));
  });

  for (const [what, make] of Object.entries(failing)) {
    await t.test(`${what}: a DeliveryError that tells neither code nor number`, async (t) => {
      const sender = await make(t);
      for (const channel of sender.channels) {
        const error = await failure(sender.send(message({ channel }), patient()));
        t.ok(error instanceof DeliveryError, inspect(error));
        t.notOk(leaks(error));
      }
    });
  }
}

/** What a promise is rejected with; a TypeError of our own when it is not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new TypeError('it did not fail'),
    (error: unknown) => error,
  );
}

/** Whether anything that hangs on a value, hidden or not, shows the code or the number. */
export function leaks(value: unknown): boolean {
  const seen = inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity });
  return seen.includes(code) || seen.includes(number.slice(2));
}
