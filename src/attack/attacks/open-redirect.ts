import { parseUrl } from '../../parse-url.ts';
import { type Attack, expect } from '../attack.ts';
import { theSignedIn } from '../kept.ts';

const EVIL = 'evil.example';
/** The one that is also given to a login, and must be gone from what its code is answered with. */
export const HOSTILE_TARGET = `https://${EVIL}/`;

/** Targets that browsers, or some parser on the way, read as another host. */
const TARGETS = [
  HOSTILE_TARGET,
  `//${EVIL}`,
  `///${EVIL}`,
  `/\\${EVIL}`,
  `\\\\${EVIL}`,
  `\\/${EVIL}`,
  `/\t/${EVIL}`,
  `/\n/${EVIL}`,
  `\t//${EVIL}`,
  ` //${EVIL}`,
  `/.//${EVIL}`,
  `/..//${EVIL}`,
  `/x/..//${EVIL}`,
  `/%2f${EVIL}`,
  `https:${EVIL}`,
  `https:/${EVIL}`,
  `https:///${EVIL}`,
  `https:\\\\${EVIL}`,
  `HTTPS://${EVIL}`,
  `http://${EVIL}/login`,
  `https://${EVIL}#/`,
  `https://user@${EVIL}`,
  'javascript:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,x',
  `/\0/${EVIL}`,
  `/x\r\nlocation: https://${EVIL}`,
];

/** Asks to be sent elsewhere after signing in: by the link to the page, and by the login itself. */
export const openRedirect: Attack = {
  name: 'open redirects',
  async run(scene) {
    const { client, deployment } = scene;
    const { host } = new URL(deployment);
    const targets = [...TARGETS, `${deployment}@${EVIL}`, `${deployment}.${EVIL}`, `//${host}@${EVIL}`];
    const { jar } = theSignedIn(scene);
    for (const target of targets) {
      for (const name of ['next', 'rd']) {
        const path = `/login?${name}=${encodeURIComponent(target)}`;
        const { status, headers } = await client.get(path, { jar: jar.copy(), headers: { accept: 'text/html' } });
        const location = headers['location'] ?? '/';
        expect(status < 500 && !leadsAway(location), `${name}=${JSON.stringify(target)} leads to ${location}`);
      }
    }
    const page = await client.get(`/login?next=${encodeURIComponent(HOSTILE_TARGET)}`, {
      headers: { accept: 'text/html' },
    });
    // A link of the page to itself may have the target in its query, which is judged when it is followed.
    const links = [...page.text.matchAll(/\b(?:href|action|value|content)\s*=\s*"([^"]*)"/gi)];
    for (const [, link = ''] of links) expect(!leadsAway(link), `the login page hands a foreign target on: ${link}`);
    const next = String(scene.signedInAt ?? '/');
    expect(!leadsAway(next), `a login with such a next leads to ${next}`);
    return `${targets.length} targets, by next and by rd, lead nowhere else`;
  },
};

/** Whether a browser would go to the host that is not ours, or run a script. */
function leadsAway(location: string): boolean {
  const base = 'http://here.invalid';
  const url = parseUrl(location, base);
  if (url === undefined) return false;
  const { hostname, protocol } = url;
  return hostname.endsWith(EVIL) || !/^https?:$/.test(protocol);
}
