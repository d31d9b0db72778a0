import { type Attack, expect, madeUpName, NotTried } from '../attack.ts';
import { inWords } from '../client.ts';
import { spoofedAddress } from '../spoofing.ts';

/** More than are allowed by default (5), and few of those that an address has in an hour (100). */
const TRIES = 8;

/**
 * Guesses the password of one name until it is stopped, then goes on by every way round: other spellings of the name, the
 * path and the body, and ever new addresses. The name is made up, so that nobody is locked out by it.
 */
export const passwordGuessing: Attack = {
  name: 'password guessing',
  async run(scene) {
    const { client } = scene;
    const username = madeUpName(scene);
    const tries: string[] = [];
    let stopped = false;
    for (let index = 0; index < TRIES && !stopped; index += 1) {
      const answer = await client.post('/login', { username, password: `guess ${index}` });
      tries.push(inWords(answer));
      stopped = answer.code === 'too_many_requests';
    }
    if (stopped && tries.length === 1)
      throw new NotTried('this address has used up its wrong passwords: try in an hour');
    expect(stopped, `${TRIES} wrong passwords for one name, and none was refused unseen`);

    const guess = { username, password: 'a guess' };
    const form = new URLSearchParams(guess).toString();
    const formType = { 'content-type': 'application/x-www-form-urlencoded' };
    const ways: Record<string, () => ReturnType<typeof client.post>> = {
      'capital letters': () => client.post('/login', { ...guess, username: username.toUpperCase() }),
      'full-width letters': () => client.post('/login', { ...guess, username: fullWidth(username) }),
      'a blank behind the name': () => client.post('/login', { ...guess, username: `${username} ` }),
      'an unseen character': () => client.post('/login', { ...guess, username: `${username}\u200b` }),
      'the path in escapes': () => client.post('/%6cogin', guess),
      'a query behind the path': () => client.post('/login?x=1', guess),
      'a slash behind the path': () => client.post('/login/', guess),
      'two slashes before it': () => client.post('//login', guess),
      'a member that is not used': () => client.post('/login', { ...guess, email: 'a@example.com' }),
      'a form': () => client.post('/login', form, { headers: formType }),
      'a new address': () => client.post('/login', guess, { headers: spoofedAddress(1) }),
      'another new address': () => client.post('/login', guess, { headers: spoofedAddress(2) }),
      'an address that is none': () => client.post('/login', guess, { headers: { 'x-forwarded-for': 'unknown, ,' } }),
      'an IPv6 address': () => client.post('/login', guess, { headers: { 'x-forwarded-for': '2001:db8::1' } }),
    };
    for (const [way, ask] of Object.entries(ways)) {
      const answer = await ask();
      const refused = answer.code === 'too_many_requests' || [400, 404, 405].includes(answer.status);
      expect(refused, `${way} gave a further guess: ${inWords(answer)}`);
    }
    return `stopped at the ${tries.length}th wrong password, and ${Object.keys(ways).length} ways round it shut`;
  },
};

function fullWidth(text: string): string {
  return text.replaceAll(/[a-z0-9]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0));
}
