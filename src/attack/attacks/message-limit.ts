import { type Attack, NotTried } from '../attack.ts';
import { inWords } from '../client.ts';

/** A wait longer than any pause between two codes can only be that of a limit over minutes. */
const LONGER_THAN_A_PAUSE_SECONDS = 60;

/** Asks for one code more than the others have taken. */
export const messageLimit: Attack = {
  name: 'send bombing over minutes',
  async run(scene) {
    const { logins, accounts, inbox } = scene;
    const phone = inbox.messages.at(-1)?.to;
    const sent = inbox.messages.filter(({ to }) => to === phone).length;
    const answer = await logins.ask(accounts[0]);
    const seconds = Number(answer.headers['retry-after']);
    const stopped = answer.code === 'too_many_requests' && seconds > LONGER_THAN_A_PAUSE_SECONDS;
    if (!stopped) throw new NotTried(`${sent} codes are allowed, and more would be needed to see a limit`);
    return `after ${sent} codes: ${inWords(answer)}, for ${seconds} s`;
  },
};
