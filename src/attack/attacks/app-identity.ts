import type { HeaderLine, RequestForm } from '../app-client.ts';
import { type Attack, expect } from '../attack.ts';
import { reachEchoingApp, repeated } from '../reached-app.ts';

/** Headers that apps take the user's name from. Servers with CGI variables take `_` and `.` for `-`. */
const NAMES = [
  ...['Remote-User', 'Remote_User', 'Remote.User', 'Remote-Amr', 'Remote-Name', 'Remote-Email', 'Remote-Groups'],
  ...['X-Doorcode-Assertion', 'X_Doorcode_Assertion', 'X-Remote-User', 'X_Remote_User', 'X-Forwarded-User'],
  ...['X_Forwarded_User', 'X-Forwarded-Email', 'X-Forwarded-Groups', 'X-Forwarded-Preferred-Username'],
  ...['X-Webauth-User', 'X_Webauth_User', 'X-Auth-Request-User', 'X-Auth-Request-Email', 'X-Authenticated-User'],
  ...['X-Auth-User', 'X-User', 'X-authentik-username'],
];

/**
 * Sends forged identity headers to the app, with a valid session. An app that receives one takes the signed-in user for
 * any other user.
 */
export const appIdentity: Attack = {
  name: 'identity headers at the app',
  async run(scene) {
    const { app, session, agent } = await reachEchoingApp(scene);
    const forged = `forged-${Buffer.from(scene.random(8)).toString('hex')}`;
    const requests = requestsWith(forged);
    let reached = 0;
    for (const [what, { headers = [], ...form }] of Object.entries(requests)) {
      const answer = await app.ask([...headers, ['User-Agent', agent], ['Cookie', session]], form);
      if (repeated(answer).includes(agent)) reached += 1;
      expect(!repeated(answer).includes(forged), `${what}: the app received the forged value`);
    }
    return `${Object.keys(requests).length} requests with a forged user: ${reached} reached the app, without the forged value`;
  },
};

function requestsWith(forged: string): Record<string, RequestForm & { headers?: readonly HeaderLine[] }> {
  const line: HeaderLine = ['Remote-User', forged];
  const inTrailer = { method: 'POST', trailers: [line, ['X-Doorcode-Assertion', forged]] } as const;
  return {
    ...Object.fromEntries(NAMES.map((name) => [name, { headers: [[name, forged] as const] }])),
    'Remote-User in two lines': { headers: [line, line] },
    'Remote-User, also named in Connection': { headers: [line, ['Connection', 'close, Remote-User']] },
    'Remote-User in a trailer': inTrailer,
    'Remote-User in an announced trailer': {
      ...inTrailer,
      headers: [
        ['Trailer', 'Remote-User, X-Doorcode-Assertion'],
        ['TE', 'trailers'],
        ['Connection', 'close, TE'],
      ],
    },
  };
}
