import { type Attack, expect, wrongCode } from '../attack.ts';
import { CookieJar } from '../jar.ts';
import { theGuessed } from '../kept.ts';

/** Puts the cookie back that there was before the first wrong code. */
export const cookieRollback: Attack = {
  name: 'cookie rollback',
  async run(scene) {
    const { challenge, message, guesses } = theGuessed(scene);
    const before = scene.guessesLeft ?? guesses;
    const jar = new CookieJar([[challenge.name, challenge.value]]);
    const answer = await scene.client.post('/otp', { otp: wrongCode(message.code, 11) }, { jar });
    const left = answer.code === 'otp_invalid' ? Number(answer.json['attemptsLeft']) : 0;
    scene.guessesMade = (scene.guessesMade ?? 0) + 1;
    scene.guessesLeft = Math.min(before, left);
    expect(left < before, `with the first cookie put back, ${left} guesses are left, not fewer than ${before}`);
    return `with the first cookie put back, ${left} guesses are left of ${before}`;
  },
};
