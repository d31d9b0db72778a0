import { type Attack, expect, madeUpName } from '../attack.ts';
import { inWords } from '../client.ts';

const EVIL = 'https://evil.example';

/** Posts as a browser does at the bidding of a page somewhere else. */
export const crossSite: Attack = {
  name: 'cross-site posts',
  async run(scene) {
    const { client } = scene;
    const from: Record<string, Record<string, string>> = {
      'Sec-Fetch-Site: cross-site': { 'sec-fetch-site': 'cross-site', origin: EVIL },
      'Sec-Fetch-Site: same-site': { 'sec-fetch-site': 'same-site', origin: EVIL },
      'a foreign Origin': { origin: EVIL },
      'Origin: null': { origin: 'null' },
      'a form on another site': { 'sec-fetch-site': 'cross-site', origin: EVIL, accept: 'application/json, */*' },
    };
    const posts: Record<string, object | undefined> = {
      '/login': { username: madeUpName(scene), password: 'a password' },
      '/otp': { otp: '000000' },
      '/otp/resend': {},
      '/logout': {},
    };
    for (const [who, headers] of Object.entries(from)) {
      for (const [path, body] of Object.entries(posts)) {
        const answer = await client.post(path, body, { headers });
        expect(answer.status === 403 && answer.code === 'cross_site_request', `${who} at ${path}: ${inWords(answer)}`);
        const allowed = answer.headers['access-control-allow-origin'];
        expect(allowed === undefined, `${who} at ${path} is let read the answer: ${allowed}`);
      }
    }
    return `${Object.keys(from).join(', ')}, at ${Object.keys(posts).join(', ')}: 403 cross_site_request`;
  },
};
