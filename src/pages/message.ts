import type { ProblemCode } from '../errors.ts';
import type { Texts } from './locales/texts.ts';

/** What a page may have to say that is no failure. */
export type HintCode = keyof Texts['hints'];

/** What a page has to say: a failure, as a `DoorcodeError` tells it, or a hint. */
export interface PageMessage {
  readonly code: ProblemCode | HintCode;
  readonly attemptsLeft?: number | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** After these the next step is to type again, so the field has the cursor; after all others to read. */
const TYPE_AGAIN: readonly PageMessage['code'][] = [
  'invalid_credentials',
  'invalid_request',
  'otp_invalid',
  'codeSentAlready',
  'newerCode',
];

export function isHint(code: PageMessage['code'], t: Texts): code is HintCode {
  return code in t.hints;
}

/** Whether the next step is to type again. */
export function asksToType({ code }: PageMessage): boolean {
  return TYPE_AGAIN.includes(code);
}

/** Puts a message into words: what is wrong, what is left, when to try again. */
export function explain({ code, attemptsLeft, retryAfterSeconds }: PageMessage, t: Texts): string {
  const sentences: string[] = [isHint(code, t) ? t.hints[code] : t.problems[code]];
  if (code === 'otp_invalid' && attemptsLeft !== undefined) sentences.push(triesLeft(attemptsLeft, t));
  if (retryAfterSeconds !== undefined) {
    const wait =
      retryAfterSeconds < 120
        ? fill(t.wait.seconds, { count: retryAfterSeconds })
        : fill(t.wait.minutes, { count: Math.ceil(retryAfterSeconds / 60) });
    sentences.push(fill(code === 'codeSentAlready' ? t.otp.nextCodeIn : t.retryAfter, { wait }));
  }
  // No blank behind a full stop that has its own.
  return sentences.join(' ').replaceAll('。 ', '。');
}

export function triesLeft(count: number, t: Texts): string {
  const { none, one, other } = t.attemptsLeft;
  return count === 0 ? none : count === 1 ? one : fill(other, { count });
}

/** Fills in the `{names}` of a text. */
export function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => String(values[name]));
}
