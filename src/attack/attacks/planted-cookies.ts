import { type Attack, expect, NotTried, type Scene } from '../attack.ts';
import { inWords } from '../client.ts';
import type { CookieJar } from '../jar.ts';
import { theSignedIn } from '../kept.ts';
import { shutWithin } from './signed-out.ts';

/** Less than any gateway takes for one header; Node.js takes 16 kB. */
const HEADER_LENGTH = 6000;

/**
 * Sends cookies as a browser does that a subdomain has set some for: of the same name, and before those of the user. They
 * must hide neither a session nor a login, must not sign in as another user, and signing out must end them all.
 */
export const plantedCookies: Attack = {
  name: 'planted cookies',
  async run(scene) {
    const { client } = scene;
    const { jar: oldJar, login: used } = theSignedIn(scene);
    if (scene.signedInAgain === undefined) throw new NotTried('the second sign-in failed');
    const login = scene.signedInAgain.login;
    const own = sessionOf(scene.signedInAgain.jar);
    const old = sessionOf(oldJar);
    const userOf = async (...pairs: string[]) => {
      const answer = await client.get('/session', { headers: { cookie: pairs.join('; ') } });
      return { words: inWords(answer), user: answer.json['user'] };
    };
    const { user, words } = await userOf(own);
    if (user === undefined) throw new NotTried(`the session was no good: ${words}`);

    for (const { answer, challenge } of [used, login]) {
      const line = answer.cookies.find((cookie) => cookie.startsWith(`${challenge.name}=`)) ?? '';
      expect(!/;\s*domain=/i.test(line), 'the challenge cookie has a Domain: every subdomain receives and can set it');
      const hostOnly = challenge.name.startsWith('__Host-');
      expect(
        hostOnly || !scene.deployment.startsWith('https:'),
        `the challenge cookie is ${challenge.name}: no __Host-`,
      );
    }

    const name = own.slice(0, own.indexOf('='));
    const junk = `${name}=${'A'.repeat(30)}`;
    const before: Record<string, string[]> = {
      'a session that has signed out': [old],
      'eight junk cookies': Array(8).fill(junk),
      [`${HEADER_LENGTH} characters of junk cookies`]: Array(Math.floor(HEADER_LENGTH / junk.length)).fill(junk),
      'junk, and a session that has signed out': [`${name}=`, junk, old, junk],
    };
    for (const [what, pairs] of Object.entries(before)) {
      const seen = await userOf(...pairs, own);
      expect(seen.user === user, `${what} before the valid session hides it: ${seen.words}`);
    }

    const other = await sessionOfOther(scene, used.challenge);
    if (other !== undefined) {
      for (const pairs of [
        [other, own],
        [own, other],
      ]) {
        const seen = await userOf(...pairs);
        expect(
          seen.user === undefined,
          `with valid sessions of two users it answers for ${pairs[0] === own ? 'the first' : 'the other'}`,
        );
      }
    }

    const all = [old, junk, ...(other === undefined ? [] : [other]), own];
    const out = await client.post('/logout', {}, { headers: { cookie: all.join('; ') } });
    expect(out.status === 200, `signing out with ${all.length} session cookies: ${inWords(out)}`);
    for (const pair of all) await shutWithin(scene, { headers: { cookie: pair } });
    const tried = other === undefined ? 'one user (name a second one by --user to try two)' : 'two users';
    return `${Object.keys(before).length} sets of cookies hide no session; with sessions of ${tried}, signing out ends all; the challenge cookie has no Domain`;
  },
};

/** Name and value of a jar's session. @throws NotTried when there is none */
function sessionOf(jar: CookieJar): string {
  const session = jar.find('doorcode-session');
  if (session === undefined) throw new NotTried('signing in set no session cookie');
  return `${session.name}=${session.value}`;
}

/** Signs in the second account, if there is one, with a challenge in front that was used already. */
async function sessionOfOther(
  { accounts: [, second], client, logins }: Scene,
  used: { readonly name: string; readonly value: string },
): Promise<string | undefined> {
  if (second === undefined) return undefined;
  const { jar, message } = await logins.open(second);
  const cookie = `${used.name}=${used.value}; ${jar.header}`;
  const answer = await client.post('/otp', { otp: message.code }, { jar, headers: { cookie } });
  expect(answer.status === 200, `a used challenge before the open one hides it: ${inWords(answer)}`);
  return sessionOf(jar);
}
