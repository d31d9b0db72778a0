import { type Attack, expect, NotTried } from '../attack.ts';
import { inWords } from '../client.ts';
import { openDoor } from '../doors.ts';
import { FALSE_HOST, spoofedHost } from '../spoofing.ts';

/** Says in headers what only a gateway may say: who is there, what was asked for, and where. */
export const headerSpoofing: Attack = {
  name: 'header spoofing',
  async run(scene) {
    const { client, accounts, inbox } = scene;
    const { username } = accounts[0];
    const identities: Record<string, string>[] = [
      { 'remote-user': username, 'remote-amr': 'pwd otp sms' },
      { remote_user: username, Remote_User: username },
      { 'x-remote-user': username, 'x-forwarded-user': username, 'x-auth-request-user': username, 'x-user': username },
      { 'x-doorcode-assertion': 'e30.e30.e30', 'x-doorcode-user': username },
      { authorization: `Basic ${Buffer.from(`${username}:x`).toString('base64')}` },
      { authorization: 'Bearer e30.e30.e30' },
      { 'x-original-url': '/healthz', 'x-rewrite-url': '/healthz', 'x-original-uri': '/healthz' },
      { 'x-original-url': '/healthz%00/session', 'x-forwarded-uri': '/healthz' },
      { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-prefix': '/healthz' },
      { 'x-http-method-override': 'HEAD', 'x-method-override': 'HEAD' },
    ];
    for (const headers of identities) {
      const open = await openDoor(client, { headers });
      expect(open === null, `with ${Object.keys(headers).join(', ')}: ${open}`);
    }

    // Whatever host is named, no link and no text may name it.
    const pages = { accept: 'text/html' };
    for (const headers of [spoofedHost(FALSE_HOST), { ...spoofedHost(FALSE_HOST), host: FALSE_HOST }]) {
      for (const path of ['/login', '/', '/auth', '/auth/redirect', '/nothing']) {
        const answer = await client.get(path, { headers: { ...pages, ...headers, 'x-forwarded-uri': '/' } });
        const told = `${JSON.stringify(answer.headers)}${answer.text}`;
        expect(!told.includes(FALSE_HOST), `${path} names the host that the client made up: ${inWords(answer)}`);
      }
    }
    // Earlier attacks asked for messages under that name.
    const texts = inbox.messages.map(({ text }) => text);
    if (texts.length === 0) throw new NotTried('no message came that could name a host');
    expect(!texts.some((text) => text.includes(FALSE_HOST)), 'a message names the host that the client made up');
    return `${identities.length} sets of headers opened no door; a made-up host is in no page, link or message`;
  },
};
