import { type Attack, expect, wrongCode } from '../attack.ts';
import { counted, inWords } from '../client.ts';
import { CookieJar } from '../jar.ts';
import { theGuessed } from '../kept.ts';

/** How many more than a code has, in all: few enough that a service which compares each does not lock the account. */
const MORE = 4;

/** Sends more guesses at once than are left, then the right code. */
export const parallelGuesses: Attack = {
  name: 'brute force in parallel',
  async run(scene) {
    const { client } = scene;
    const { challenge, message, guesses } = theGuessed(scene);
    const left = scene.guessesLeft ?? guesses;
    const post = (otp: string) =>
      client.post('/otp', { otp }, { jar: new CookieJar([[challenge.name, challenge.value]]) });
    const made = scene.guessesMade ?? 0;
    const wrong = Array.from({ length: guesses + MORE - made }, (_, index) => wrongCode(message.code, 21 + index));
    const answers = await Promise.all(wrong.map(post));
    const compared = answers.filter(({ code }) => code === 'otp_invalid').length;
    const right = await post(message.code);
    const at = `${wrong.length} wrong codes at once, ${left} guesses left`;
    expect(compared <= left, `${at}: ${compared} were compared`);
    expect(right.status !== 200, `${at}: then the right code was taken`);
    return `${at}: ${counted(answers)}; then the right code: ${inWords(right)}`;
  },
};
