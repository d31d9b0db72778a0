import { type Attack, expect } from '../attack.ts';
import { inWords } from '../client.ts';
import { openDoor } from '../doors.ts';
import { createForge } from '../forge.ts';
import { CookieJar } from '../jar.ts';
import { untouchedLogin } from '../kept.ts';

/** Cookies that were changed, cut, or sealed by somebody else. */
export const foreignCookies: Attack = {
  name: 'foreign and tampered cookies',
  async run(scene) {
    const { client, clock, random, accounts } = scene;
    const { challenge, message } = await untouchedLogin(scene);
    const forge = await createForge({ random, clock });
    // With COOKIE_DOMAIN the session has another prefix than the challenge.
    const sessionNames = ['', '__Host-', '__Secure-'].map((prefix) => `${prefix}doorcode-session`);
    const { username } = accounts[0];

    const challenges: Record<string, string> = {
      ...tampered(challenge.value),
      ...forge.challenges(username, message.to),
    };
    for (const [what, value] of Object.entries(challenges)) {
      const jar = new CookieJar([[challenge.name, value]]);
      const answer = await client.post('/otp', { otp: message.code }, { jar });
      expect(answer.code === 'challenge_missing', `${what}, with the right code: ${inWords(answer)}`);
    }
    const sessions: Record<string, string> = { ...forge.sessions(username), ...PLAIN };
    for (const [what, value] of Object.entries(sessions)) {
      const open = await openDoor(client, { jar: new CookieJar(sessionNames.map((name) => [name, value])) });
      expect(open === null, `${what}: ${open}`);
    }
    return `${Object.keys(challenges).length} challenges and ${Object.keys(sessions).length} sessions of our own making are none`;
  },
};

const json = JSON.stringify({ typ: 'session', sub: 'admin', user: 'admin', admin: true });

/** What some service would take: not sealed at all. */
const PLAIN: Readonly<Record<string, string>> = {
  'a session in plain JSON': encodeURIComponent(json),
  'a session in base64': encodeURIComponent(Buffer.from(json).toString('base64')),
  'an unsigned token': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(json).toString('base64url')}.`,
  'a word': 'true',
};

/** @param value as it stands in the cookie, percent-encoded */
function tampered(value: string): Record<string, string> {
  const plain = decodeURIComponent(value);
  const flip = (index: number) =>
    encodeURIComponent(plain.slice(0, index) + (plain[index] === 'A' ? 'B' : 'A') + plain.slice(index + 1));
  return {
    'a challenge changed at its start': flip(0),
    'a challenge changed in its middle': flip(Math.floor(plain.length / 2)),
    'a challenge changed at its end': flip(plain.length - 2),
    'a challenge cut in half': encodeURIComponent(plain.slice(0, plain.length / 2)),
    'a challenge cut by one': encodeURIComponent(plain.slice(0, -1)),
    'a challenge with something behind it': encodeURIComponent(`${plain}A`),
    'half a challenge twice': encodeURIComponent(plain.slice(0, plain.length / 2).repeat(2)),
  };
}
