import { type Attack, expect, NotTried, wrongCode } from '../attack.ts';
import { type Answer, inWords } from '../client.ts';
import type { OpenLogin } from '../logins.ts';

/** Wrong codes in a row that lock an account by default. Who allows more has to know that, and why. */
const LOCKED_AFTER = 10;

/**
 * Goes on guessing with new codes of one account, until the account is locked: neither a new login nor the right code may
 * help then. It stays locked, so it is done to a second account only.
 */
export const accountLock: Attack = {
  name: 'guessing over many codes',
  async run(scene) {
    const { accounts, logins, client } = scene;
    const account = accounts[1];
    if (account === undefined) {
      throw new NotTried('it locks an account for a while: name a second one, with a phone of its own, by --user');
    }
    let wrong = 0;
    const guessAll = async ({ jar, message, guesses }: OpenLogin): Promise<Answer> => {
      let answer: Answer;
      for (let step = 1; ; step += 1) {
        answer = await client.post('/otp', { otp: wrongCode(message.code, step) }, { jar: jar.copy() });
        if (answer.code !== 'otp_invalid' || step > guesses) return answer;
        wrong += 1;
      }
    };
    await guessAll(await logins.open(account));
    const second = await logins.open(account);
    const last = await guessAll(second);
    const right = await client.post('/otp', { otp: second.message.code }, { jar: second.jar.copy() });
    expect(right.status !== 200, `after ${wrong} wrong codes the right one was taken`);
    const locked = last.code === 'account_locked' || right.code === 'account_locked';
    expect(locked || wrong < LOCKED_AFTER, `${wrong} wrong codes over two logins do not lock the account`);
    if (!locked) throw new NotTried(`${wrong} wrong codes lock nobody, and a third code is not spent on it`);
    const again = await logins.ask(account);
    expect(again.code === 'invalid_credentials', `the locked account may log in: ${inWords(again)}`);
    return `after ${wrong} wrong codes over two logins: ${inWords(right)} for the right one; a new login: ${inWords(again)}`;
  },
};
