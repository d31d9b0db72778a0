import { type Attack, expect } from '../attack.ts';
import { reachApp, repeated } from '../reached-app.ts';

/** A SETTINGS payload in base64url, as RFC 7540 §3.2.1 has it. */
const SETTINGS = 'AAMAAABkAAQAoAAAAAIAAAAA';
const WEBSOCKET: readonly Header[] = [
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
];

type Header = readonly [name: string, value: string];

/**
 * Asks the app to switch to another protocol than WebSocket. An app server that accepts `h2c` (RFC 7540 §3.2) then reads
 * raw HTTP/2 from the client, past the gateway, with any `Remote-User` in it.
 */
export const upgradeSmuggling: Attack = {
  name: 'upgrade smuggling',
  async run(scene) {
    const { app, session, echoes } = await reachApp(scene);
    const unknown = `x-${Buffer.from(scene.random(6)).toString('hex')}`;
    const settings: Header = ['HTTP2-Settings', SETTINGS];
    const h2c: Header = ['Connection', 'Upgrade, HTTP2-Settings'];
    const variants: Record<string, readonly Header[]> = {
      h2c: [
        ['Upgrade', 'h2c'],
        ['Connection', 'Upgrade'],
      ],
      'h2c with HTTP2-Settings': [['Upgrade', 'h2c'], settings, h2c],
      H2C: [['Upgrade', 'H2C'], settings, h2c],
      'h2c, websocket': [['Upgrade', 'h2c, websocket'], settings, h2c, ...WEBSOCKET],
      'websocket, h2c': [['Upgrade', 'websocket, h2c'], settings, h2c, ...WEBSOCKET],
      'websocket,h2c': [['Upgrade', 'websocket,h2c'], settings, h2c, ...WEBSOCKET],
      'two lines, h2c first': [['Upgrade', 'h2c'], ['Upgrade', 'websocket'], settings, h2c, ...WEBSOCKET],
      'two lines, websocket first': [['Upgrade', 'websocket'], ['Upgrade', 'h2c'], settings, h2c, ...WEBSOCKET],
      'websocket with HTTP2-Settings': [['Upgrade', 'websocket'], settings, h2c, ...WEBSOCKET],
      'HTTP2-Settings alone': [settings, ['Connection', 'HTTP2-Settings']],
      'an unknown protocol': [
        ['Upgrade', unknown],
        ['Connection', 'Upgrade'],
      ],
      TLS: [
        ['Upgrade', 'TLS/1.0'],
        ['Connection', 'Upgrade'],
      ],
    };
    for (const [what, headers] of Object.entries(variants)) {
      const answer = await app.ask([...headers, ['Accept', '*/*'], ['Cookie', session]]);
      const protocol = answer.headers['upgrade'] ?? '';
      expect(
        answer.status !== 101 || protocol.toLowerCase() === 'websocket',
        `Upgrade: ${what}: the app switched to ${protocol || 'another protocol'} (101)`,
      );
      const seen = passedOn(repeated(answer), unknown);
      expect(!echoes || seen === undefined, `Upgrade: ${what}: the app received ${seen}`);
    }
    const tried = `${Object.keys(variants).length} forms of Upgrade`;
    return echoes
      ? `${tried}: no 101 but for websocket, and the app received none of them`
      : `${tried}: no 101 but for websocket; the app does not repeat its request headers, so whether it received them was not seen`;
  },
};

/** What of the tried headers an answer repeats. Not within a longer word: a token in base64 may hold any three letters. */
function passedOn(text: string, unknown: string): string | undefined {
  if (/http2[-_]settings/i.test(text)) return 'HTTP2-Settings';
  const word = new RegExp(`(?<![\\w.+/-])(?:h2c|tls/1\\.0|${unknown})(?![\\w+/-])`, 'i');
  return word.exec(text)?.[0];
}
