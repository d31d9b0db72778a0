import { type Attack, expect } from '../attack.ts';
import { inWords } from '../client.ts';
import { theSignedIn } from '../kept.ts';

/** Types the code again that has just signed somebody in, with the cookie that belongs to it. */
export const replay: Attack = {
  name: 'replay',
  async run(scene) {
    const { login } = theSignedIn(scene);
    const { client } = scene;
    const otp = login.message.code;
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const again = await client.post('/otp', { otp }, { jar: login.jar.copy() });
    const asForm = await client.post('/otp', `otp=${otp}`, { jar: login.jar.copy(), headers: form });
    for (const answer of [again, asForm]) expect(answer.status >= 400, `the same code again: ${inWords(answer)}`);
    return `the same code again: ${inWords(again)}; as a form: ${inWords(asForm)}`;
  },
};
