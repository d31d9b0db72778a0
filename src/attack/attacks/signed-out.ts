import { type Attack, expect, GotThrough, NotTried } from '../attack.ts';
import { inWords } from '../client.ts';
import { openDoor } from '../doors.ts';
import { theSignedIn } from '../kept.ts';

/** Another replica may take so long to hear of it. */
const WITHIN_SECONDS = 5;

/** Puts back the cookie of a session that has signed out. */
export const signedOut: Attack = {
  name: 'session after signing out',
  async run(scene) {
    const { client, pause } = scene;
    const { jar } = theSignedIn(scene);
    const before = await client.get('/session', { jar: jar.copy() });
    if (before.status !== 200) throw new NotTried(`the session was no good: ${inWords(before)}`);
    const out = await client.post('/logout', {}, { jar: jar.copy() });
    expect(out.status === 200, `signing out: ${inWords(out)}`);
    for (let seconds = 0; ; seconds += 1) {
      const open = await openDoor(client, { jar });
      if (open === null) return `refused within ${seconds === 0 ? 'one' : seconds} s of signing out, at every door`;
      if (seconds > WITHIN_SECONDS) throw new GotThrough(`${seconds} s after signing out, ${open}`);
      await pause(1000, 'other replicas hear of the signing out');
    }
  },
};
