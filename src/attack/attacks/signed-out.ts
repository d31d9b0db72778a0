import { type Attack, expect, GotThrough, NotTried, type Scene } from '../attack.ts';
import { inWords } from '../client.ts';
import { openDoor } from '../doors.ts';
import { theSignedIn } from '../kept.ts';

/** Another replica may take so long to hear of it. */
const WITHIN_SECONDS = 5;

/** Puts back the cookie of a session that has signed out. */
export const signedOut: Attack = {
  name: 'session after signing out',
  async run(scene) {
    const { client } = scene;
    const { jar } = theSignedIn(scene);
    const before = await client.get('/session', { jar: jar.copy() });
    if (before.status !== 200) throw new NotTried(`the session was no good: ${inWords(before)}`);
    const out = await client.post('/logout', {}, { jar: jar.copy() });
    expect(out.status === 200, `signing out: ${inWords(out)}`);
    const seconds = await shutWithin(scene, { jar });
    return `refused within ${seconds === 0 ? 'one' : seconds} s of signing out, at every door`;
  },
};

/**
 * Waits until every door refuses a session that has signed out.
 *
 * @returns after how many seconds
 * @throws GotThrough when other replicas have had long enough to hear of it
 */
export async function shutWithin(
  { client, pause }: Pick<Scene, 'client' | 'pause'>,
  request: Parameters<typeof openDoor>[1],
): Promise<number> {
  for (let seconds = 0; ; seconds += 1) {
    const open = await openDoor(client, request);
    if (open === null) return seconds;
    if (seconds > WITHIN_SECONDS) throw new GotThrough(`${seconds} s after signing out, ${open}`);
    await pause(1000, 'other replicas hear of the signing out');
  }
}
