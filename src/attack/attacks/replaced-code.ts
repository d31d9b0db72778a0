import { type Attack, expect, NotTried } from '../attack.ts';
import { inWords } from '../client.ts';

/** Types a code that another one has replaced, then the new one, which also ends the row of wrong codes. */
export const replacedCode: Attack = {
  name: 'replaced code',
  async run(scene) {
    const { client, logins, accounts } = scene;
    const old = await logins.open(accounts[0]);
    const renewed = await logins.renew(old);
    const answer = await client.post('/otp', { otp: old.message.code }, { jar: old.jar.copy() });
    const crossed = await client.post('/otp', { otp: old.message.code }, { jar: renewed.jar.copy() });
    const right = await client.post('/otp', { otp: renewed.message.code }, { jar: renewed.jar });
    if (right.status === 200) scene.signedInAgain = { jar: renewed.jar, login: renewed };
    expect(answer.status >= 400, `the old code, after a new one was sent: ${inWords(answer)}`);
    expect(crossed.status >= 400, `the old code with the new cookie: ${inWords(crossed)}`);
    if (right.status !== 200) throw new NotTried(`the new code was refused: ${inWords(right)}`);
    return `the old code, after a new one was sent: ${inWords(answer)}; with the new cookie: ${inWords(crossed)}`;
  },
};
