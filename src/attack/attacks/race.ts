import { type Attack, expect, NotTried } from '../attack.ts';
import { counted } from '../client.ts';
import { HOSTILE_TARGET } from './open-redirect.ts';

/** One guess of the code's is kept for whoever types it again. */
const AT_ONCE = 4;

/** Sends the right code several times at the same moment. */
export const race: Attack = {
  name: 'race for one code',
  async run(scene) {
    const { client, logins, accounts } = scene;
    const login = await logins.open(accounts[0], { next: HOSTILE_TARGET });
    const jars = Array.from({ length: AT_ONCE }, () => login.jar.copy());
    const answers = await Promise.all(jars.map((jar) => client.post('/otp', { otp: login.message.code }, { jar })));
    const winner = answers.findIndex(({ status }) => status === 200);
    const jar = jars[winner];
    if (jar === undefined) throw new NotTried(`the right code was refused: ${counted(answers)}`);
    scene.signedIn = { jar, login };
    scene.signedInAt = answers[winner]?.json['next'];
    const sessions = answers.filter(({ status }) => status === 200).length;
    expect(sessions === 1, `one code signed in ${sessions} times: ${counted(answers)}`);
    return `the right code ${AT_ONCE} times at once: ${counted(answers)}`;
  },
};
