import type { Clock } from '../clock.ts';
import { NotTried } from './attack.ts';
import { type Answer, type Client, inWords } from './client.ts';
import type { Inbox, Received } from './inbox.ts';
import { CookieJar } from './jar.ts';

/** Somebody who has a password, and a phone whose messages come to the inbox. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** A password was taken, and a code is on its way. */
export interface OpenLogin {
  readonly account: Account;
  readonly answer: Answer;
  readonly message: Received;
  /** Holds the challenge. Copy it to try something that must not change it. */
  readonly jar: CookieJar;
  /** The challenge's cookie as it was at first. */
  readonly challenge: { readonly name: string; readonly value: string };
  /** Guesses that the code has, as the answer says. */
  readonly guesses: number;
  /** When the code dies, by our clock, a second added for what rounding hides. */
  readonly deadAtMs: number;
}

/** How a login is asked for. */
export interface LoginRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly next?: string;
}

/** Opens logins, each of which costs a message, and waits for when that is allowed. */
export interface Logins {
  /** One request, for one message at the most. */
  ask(account: Account, request?: LoginRequest, jar?: CookieJar): Promise<Answer>;
  /** @throws NotTried when it is refused, or no message came */
  open(account: Account, request?: LoginRequest): Promise<OpenLogin>;
  /** A new code for an open login. @throws NotTried likewise */
  renew(login: OpenLogin): Promise<OpenLogin>;
  /**
   * What a login that was answered so has become.
   *
   * @param before how many messages there were when it was asked for
   * @throws NotTried when no message came
   */
  opened(account: Account, answer: Answer, jar: CookieJar, before: number): OpenLogin;
}

export interface LoginsOptions {
  readonly client: Client;
  readonly inbox: Inbox;
  readonly pause: (ms: number, why: string) => Promise<void>;
}

/** How often a login that is told to wait is tried: a pause between two codes, a longer one, and a second of rounding. */
const TRIES = 4;

export function createLogins({ client, inbox, pause }: LoginsOptions): Logins {
  /** Why no code will ever come, once that is known: each further one would cost the phone a message for nothing. */
  let unheard: string | undefined;

  const ask: Logins['ask'] = ({ username, password }, { headers, next } = {}, jar = new CookieJar()) =>
    client.post(
      '/login',
      { username, password, ...(next === undefined ? {} : { next }) },
      { jar, ...(headers === undefined ? {} : { headers }) },
    );

  async function whenAllowed(username: string, askOnce: () => Promise<Answer>): Promise<Answer> {
    if (unheard !== undefined) throw new NotTried(unheard);
    for (let tries = 1; ; tries += 1) {
      const answer = await askOnce();
      const seconds = Number(answer.headers['retry-after']);
      if (answer.code !== 'too_many_requests' || tries === TRIES || Number.isNaN(seconds)) return answer;
      await pause(seconds * 1000, `the next code for ${username} may be asked for`);
    }
  }

  const opened: Logins['opened'] = (account, answer, jar, before) => {
    const unsigned = inbox.refused === 0 ? '' : ' that is signed with this WEBHOOK_SECRET';
    if (answer.status !== 200) throw new NotTried(`no code for ${account.username}${unsigned}: ${inWords(answer)}`);
    const message = inbox.messages.slice(before).at(-1);
    const challenge = jar.find('doorcode-challenge');
    if (message === undefined || challenge === undefined) {
      unheard = `no code came to ${inbox.url}${unsigned}`;
      throw new NotTried(unheard);
    }
    const expiresAtMs = Date.parse(String(answer.json['expiresAt']));
    return {
      account,
      answer,
      message,
      jar,
      challenge,
      guesses: Number(answer.json['attemptsLeft']),
      deadAtMs: expiresAtMs - message.aheadMs + 1000,
    };
  };

  return {
    ask,
    opened,
    async open(account, request) {
      const jar = new CookieJar();
      const before = inbox.messages.length;
      const answer = await whenAllowed(account.username, () => ask(account, request, jar));
      return opened(account, answer, jar, before);
    },
    async renew({ account, jar: old }) {
      const jar = old.copy();
      const before = inbox.messages.length;
      const answer = await whenAllowed(account.username, () => client.post('/otp/resend', {}, { jar }));
      return opened(account, answer, jar, before);
    },
  };
}

/** Whether its code still lives, with enough time to do something. */
export function isAlive({ deadAtMs }: OpenLogin, clock: Clock): boolean {
  return clock() < deadAtMs - 5000;
}
