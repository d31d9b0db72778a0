import { type Attack, expect } from '../attack.ts';
import { inWords } from '../client.ts';
import { openDoor } from '../doors.ts';
import { untouchedLogin } from '../kept.ts';

/** Goes on after the password as if the code had been typed. */
export const secondFactorSkipped: Attack = {
  name: 'second factor skipped',
  async run(scene) {
    const { client } = scene;
    const { jar } = await untouchedLogin(scene);
    const open = await openDoor(client, { jar });
    expect(open === null, `with the password alone ${open}`);
    for (const body of [{}, { otp: '' }, { otp: null }, { otp: true }, { skip: true }, undefined]) {
      const answer = await client.post('/otp', body, { jar: jar.copy() });
      expect(answer.status >= 400 && answer.status < 500, `${JSON.stringify(body)} as code: ${inWords(answer)}`);
    }
    return 'after the password every door is shut, and no code is not taken for one';
  },
};
