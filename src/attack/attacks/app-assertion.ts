import { isIP } from 'node:net';
import type { HeaderLine, RequestForm } from '../app-client.ts';
import { type Attack, expect, NotTried } from '../attack.ts';
import { reachEchoingApp, repeated } from '../reached-app.ts';

/**
 * Tries to get an assertion for another app. An app that receives such an assertion can use it at that app, and a client
 * that can read its own assertions as well. So the audience (`aud`) must not depend on a host that the client wrote.
 */
export const appAssertion: Attack = {
  name: 'assertion for another app',
  async run(scene) {
    const { app, session, agent, answer: plain } = await reachEchoingApp(scene);
    const [assertion] = assertionsIn(repeated(plain));
    if (assertion === undefined) throw new NotTried('the app received no assertion (ASSERTION_KEY)');
    const { aud, iss } = assertion;
    const own = [aud].flat();
    expect(
      iss === app.origin || !own.includes(iss),
      `the assertion is for ${iss}, so every app behind it accepts what another app received (aud; ASSERTION_AUDIENCE)`,
    );
    let tried = 0;
    let reached = 0;
    for (const host of otherHosts(app.origin, scene.deployment)) {
      for (const [what, { headers = [], ...form }] of Object.entries(requestsFor(host, new URL(app.origin).host))) {
        const answer = await app.ask([...headers, ['User-Agent', agent], ['Cookie', session]], form);
        tried += 1;
        if (repeated(answer).includes(agent)) reached += 1;
        for (const received of assertionsIn(repeated(answer)))
          expect(
            [received.aud].flat().join() === own.join(),
            `${what} ${host}: the app received an assertion for ${[received.aud].flat().join(', ')}`,
          );
      }
    }
    const intended =
      own.length === 1 && aud === app.origin ? 'this app alone' : `${own.join(', ')} (ASSERTION_AUDIENCE)`;
    return `the assertion is for ${intended}, also in the ${reached} of ${tried} requests naming another host that reached the app`;
  },
};

interface Claims {
  readonly iss?: unknown;
  readonly aud?: unknown;
}

/** The claims of each JWT in a text (RFC 7519 §3). */
function assertionsIn(text: string): Claims[] {
  return [...text.matchAll(/\beyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+/g)].map(
    ([, payload = '']) => JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims,
  );
}

/** Hosts for which doorcode may issue assertions: beside and below the app, the login page, the app's host with port 1. */
function otherHosts(app: string, deployment: string): readonly string[] {
  const { host, hostname, port } = new URL(app);
  const parent = hostname.slice(hostname.indexOf('.') + 1);
  const isName = isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
  const names = isName ? [hostname, ...(parent.includes('.') ? [parent] : [])] : [];
  const hosts = [
    ...names.map((name) => `other.${name}${port === '' ? '' : `:${port}`}`),
    new URL(deployment).host,
    `${hostname}:1`,
  ];
  return hosts.filter((other) => other !== host);
}

/** The places of a request that name a host. A gateway may believe any of them, and of two values either. */
function requestsFor(host: string, own: string): Record<string, RequestForm & { headers?: readonly HeaderLine[] }> {
  const forwarded = (...values: string[]) => ({
    headers: values.map((value): HeaderLine => ['X-Forwarded-Host', value]),
  });
  return {
    'X-Forwarded-Host:': forwarded(host),
    'X-Forwarded-Host, the first of two values:': forwarded(`${host}, ${own}`),
    'X-Forwarded-Host, the second of two values:': forwarded(`${own}, ${host}`),
    'X-Forwarded-Host, the first of two lines:': forwarded(host, own),
    'X-Forwarded-Host, the second of two lines:': forwarded(own, host),
    'X-Forwarded-Host, also named in Connection:': {
      headers: [
        ['X-Forwarded-Host', host],
        ['Connection', 'close, X-Forwarded-Host'],
      ],
    },
    'Forwarded: host=': { headers: [['Forwarded', `host="${host}"`]] },
    'Host:': { host },
    'the request target:': { targetHost: host },
    'Host, with the app in the request target:': { host, targetHost: own },
    'Host and request target:': { host, targetHost: host },
  };
}
