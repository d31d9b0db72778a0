/** Whose API a request speaks. */
export type Provider = 'signalwire' | 'twilio' | 'plivo';

/** How a code travels: a text message, or a call that speaks it. */
export type Channel = 'sms' | 'voice';

export type Method = 'GET' | 'POST';

/** A message or call that has passed every check of its API. */
export interface Order {
  /** E.164, with `+`. */
  readonly to: string;
  readonly from: string;
  /** What is shown or said; empty for a call whose words `answer` will give. */
  readonly text: string;
  /** In which the text is spoken, where a call says so: `en-US`. */
  readonly language?: string;
  /** Where the words of a call are asked for when it is picked up. */
  readonly answer?: { readonly url: string; readonly method: Method };
  /** Where it is told what became of it, and of which events. */
  readonly receipt?: { readonly url: string; readonly method: Method; readonly events: readonly string[] };
}

/** An HTTP answer. An object is sent as JSON, text as HTML. */
export interface Answer {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why a request is refused, whatever words its API has for it. */
export type Reason = 'credentials' | 'method' | 'too_large' | 'rejected' | 'opted_out' | 'too_many_requests';

/** A request is not as its API wants it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

/** A request to a URL of the service: the words of a call, or what became of a message. */
export interface Callback {
  readonly url: string;
  readonly method: Method;
  readonly fields: Readonly<Record<string, string>>;
  /** The signature. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Signs callbacks: the token that the request came with, or a key that the provider gives out beside it. */
export interface SigningKeys {
  readonly token: string;
  readonly signingKey: string;
}

/** Port: one API of one provider, as an account sees it. It does nothing by itself, it only knows the forms. */
export interface Endpoint {
  readonly provider: Provider;
  readonly channel: Channel;
  readonly account: string;
  /** @throws Refusal that names the field at fault */
  read(contentType: string, body: string): Order;
  newId(): string;
  accept(order: Order, id: string, nowMs: number): Answer;
  refuse(reason: Reason, to?: string): Answer;
  /** The request for the words of a call that was picked up; null where they came with the order. */
  pickUp(order: Order, id: string, keys: SigningKeys): Callback | null;
  /** What is told of the order afterwards, in turn. */
  receipts(order: Order, id: string, delivered: boolean, keys: SigningKeys): Callback[];
}

/** E.164: `+`, a country code that does not begin with 0, 7 to 15 digits in all. */
export function isE164(text: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(text);
}
