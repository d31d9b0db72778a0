import { type Attack, expect, NotTried, wrongCode } from '../attack.ts';
import { inWords } from '../client.ts';
import { FALSE_HOST } from '../spoofing.ts';

/** By default as many wrong codes in a row lock an account; what other attacks need is not to be locked. */
const MOST_GUESSES = 5;

/** Guesses at a code one after the other, taking each cookie that is answered, as a browser does. */
export const bruteForce: Attack = {
  name: 'brute force',
  async run(scene) {
    const { client, logins, accounts } = scene;
    scene.guessed = await logins.open(accounts[0], { headers: { host: FALSE_HOST } }).catch((error: Error) => {
      // A gateway may know no such host.
      if (!(error instanceof NotTried)) throw error;
      return logins.open(accounts[0]);
    });
    const { jar: fresh, message, guesses } = scene.guessed;
    if (!(guesses <= MOST_GUESSES)) throw new NotTried(`${guesses} guesses for each code would lock the account first`);
    const jar = fresh.copy();
    const tries = Math.max(1, Math.ceil(guesses / 2) - 1);
    scene.guessesLeft = guesses;
    scene.guessesMade = 0;
    for (let step = 1; step <= tries; step += 1) {
      const answer = await client.post('/otp', { otp: wrongCode(message.code, step) }, { jar });
      if (answer.code !== 'otp_invalid') throw new NotTried(`a wrong code was answered ${inWords(answer)}`);
      scene.guessesMade = step;
      const left = Number(answer.json['attemptsLeft']);
      const before = scene.guessesLeft;
      scene.guessesLeft = left;
      expect(left === before - 1, `after wrong code ${step} of ${guesses}, ${left} guesses are left`);
    }
    return `${tries} wrong codes, ${scene.guessesLeft} of ${guesses} guesses left; the rest are used up below`;
  },
};
