import { type Attack, expect, NotTried } from '../attack.ts';
import { type Answer, inWords } from '../client.ts';
import { openDoor } from '../doors.ts';
import { CookieJar } from '../jar.ts';
import { theSignedIn } from '../kept.ts';

/** Renames each of the two cookies to the other: what a password gave for what a code gives, and the other way round. */
export const cookieSwap: Attack = {
  name: 'cookie swap',
  async run(scene) {
    const { client } = scene;
    const { jar, login } = theSignedIn(scene);
    const session = jar.find('doorcode-session');
    if (session === undefined) throw new NotTried('signing in set no session cookie');
    const { challenge, message } = login;

    const asSession = new CookieJar([[session.name, challenge.value]]);
    const open = await openDoor(client, { jar: asSession });
    expect(open === null, `with the challenge as session, ${open}`);

    const asChallenge = () => new CookieJar([[challenge.name, session.value]]);
    const answers: Record<string, Answer> = {
      '/otp': await client.post('/otp', { otp: message.code }, { jar: asChallenge() }),
      '/otp/resend': await client.post('/otp/resend', {}, { jar: asChallenge() }),
    };
    for (const [path, answer] of Object.entries(answers)) {
      expect(answer.code === 'challenge_missing', `with the session as challenge, ${path} answered ${inWords(answer)}`);
    }
    return 'the challenge as session opens no door; the session as challenge is none';
  },
};
