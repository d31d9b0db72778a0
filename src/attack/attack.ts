import type { Clock } from '../clock.ts';
import type { AppClient } from './app-client.ts';
import type { Answer, Client } from './client.ts';
import type { Inbox } from './inbox.ts';
import type { CookieJar } from './jar.ts';
import type { Account, Logins, OpenLogin } from './logins.ts';

/** One thing that somebody would try, and what it looks like when it is refused. */
export interface Attack {
  /** In a few words, as the report has it. */
  readonly name: string;
  /**
   * @returns what was tried and how it was refused
   * @throws GotThrough with what shows it, or NotTried with the reason; anything else counts as not tried
   */
  run(scene: Scene): Promise<string>;
}

/** The deployment is weaker than it promises. The message is the evidence. */
export class GotThrough extends Error {}

/** It cannot be said whether the attack would get through. The message says why. */
export class NotTried extends Error {
  override readonly name = 'NotTried';
}

/** An answer with all of it that may not depend on who was asked for. */
export type Seen = Answer & { readonly seenAs: string };

/** What attacks work with, and hand on to each other, because a phone is sent few codes. */
export interface Scene {
  /** The origin that is attacked. */
  readonly deployment: string;
  readonly client: Client;
  /** The operator's own app behind the gateway, where one is named. */
  readonly app?: AppClient | undefined;
  readonly inbox: Inbox;
  readonly logins: Logins;
  /** The first signs in; the second, if any, may end up locked. */
  readonly accounts: readonly [Account, ...Account[]];
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  /** Lets time pass, and tells what for. @throws NotTried when the run would be over by then */
  readonly pause: (ms: number, why: string) => Promise<void>;
  /** A login whose code nobody types before it has expired. */
  untouched?: OpenLogin | undefined;
  /** A login at whose code wrong guesses are made. */
  guessed?: OpenLogin | undefined;
  /** Wrong guesses that the login above has left, as far as it says. */
  guessesLeft?: number;
  /** Those that were made at it. */
  guessesMade?: number;
  /** Who signed in, and the login that it came of. */
  signedIn?: { readonly jar: CookieJar; readonly login: OpenLogin } | undefined;
  /** The same, of a later login whose session is still valid. */
  signedInAgain?: { readonly jar: CookieJar; readonly login: OpenLogin } | undefined;
  /** What wrong passwords were answered, for names that there are and for names that there are not. */
  wrongPasswords?: {
    readonly known: readonly Seen[];
    readonly unknown: readonly Seen[];
    /** How long answers took meanwhile that make no work, milliseconds. */
    readonly baseline: readonly number[];
  };
  /** Where that sign-in was to lead, as answered. */
  signedInAt?: unknown;
}

/** Throws {@link GotThrough} unless it holds. */
export function expect(holds: boolean, evidence: string): void {
  if (!holds) throw new GotThrough(evidence);
}

/** A name that no directory knows, different each time; one as short as a real name may be is at least an odd one. */
export function madeUpName({ random }: Pick<Scene, 'random'>, length = 16): string {
  const letters = Buffer.from(random(length)).toString('hex');
  return (length > 12 ? `nobody-${letters}` : letters).slice(0, length);
}

/** A code of the same length that is not the given one. */
export function wrongCode(code: string, step = 1): string {
  return String((Number(code) + step) % 10 ** code.length).padStart(code.length, '0');
}
