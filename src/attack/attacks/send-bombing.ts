import { type Attack, expect } from '../attack.ts';
import { counted } from '../client.ts';
import { CookieJar } from '../jar.ts';
import { FALSE_HOST, spoofedAddress, spoofedHost } from '../spoofing.ts';

const AT_ONCE = 4;
const IN_A_ROW = 4;

/**
 * Asks for as many messages to one phone as it can, at once and in a row, from ever new addresses. Until the moment that
 * the first answer names there may be none; where it names none, a limit has to stop some of them.
 */
export const sendBombing: Attack = {
  name: 'send bombing',
  async run(scene) {
    const { accounts, logins, client, inbox } = scene;
    const [account] = accounts;
    // Whoever ran this a moment ago waits here, so that what follows begins with a code. What its text makes of the host
    // is looked at by another attack.
    const first = await logins.open(account, { headers: { ...spoofedAddress(0), ...spoofedHost(FALSE_HOST) } });
    const before = inbox.messages.length;
    const again = (index: number) => logins.ask(account, { headers: spoofedAddress(index) }, new CookieJar());
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => again(index + 1)));
    for (let index = 0; index < IN_A_ROW; index += 1) answers.push(await again(index + 100));
    const renewed = await client.post('/otp/resend', {}, { jar: first.jar.copy(), headers: spoofedAddress(200) });
    answers.push(renewed);
    const further = inbox.messages.slice(before);
    const sent = further.length;
    // Both are times of the deployment's clock: one rounded up to a second, the other down.
    const resendAtMs = Date.parse(String(first.answer.json['resendAt']));
    const early = further.filter(({ signedAtMs }) => signedAtMs < resendAtMs - 1000).length;
    expect(early === 0, `${early} of ${answers.length} more codes were sent before the next one was to be asked for`);
    expect(sent < answers.length, `all of ${answers.length} messages that were asked for at once were sent`);
    if (renewed.status !== 200) scene.untouched = first;
    return `${answers.length} more codes asked for at once, ${sent} sent: ${counted(answers)}`;
  },
};
