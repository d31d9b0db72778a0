import { type Attack, expect } from '../attack.ts';
import { inWords } from '../client.ts';
import { untouchedLogin } from '../kept.ts';

/** Types the right code, which nobody has used, when its life is over. */
export const expiredCode: Attack = {
  name: 'expired code',
  async run(scene) {
    const { client, clock, pause } = scene;
    // The one of a while ago, if there is one: dead is what it should be.
    const { deadAtMs, jar, message } = scene.untouched ?? (await untouchedLogin(scene));
    if (clock() < deadAtMs) await pause(deadAtMs - clock(), 'a code expires that nobody has used');
    const answer = await client.post('/otp', { otp: message.code }, { jar: jar.copy() });
    expect(answer.status >= 400, `after its life: ${inWords(answer)}`);
    return `the right code after its life: ${inWords(answer)}`;
  },
};
