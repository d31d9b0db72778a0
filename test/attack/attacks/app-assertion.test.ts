import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createAppClient } from '../../../src/attack/app-client.ts';
import type { Scene } from '../../../src/attack/attack.ts';
import { appAssertion } from '../../../src/attack/attacks/app-assertion.ts';
import { CookieJar } from '../../../src/attack/jar.ts';

const deployment = 'https://login.example.com';
const lines = ({ headersDistinct }: IncomingMessage) => headersDistinct['x-forwarded-host'] ?? [];

/** An app whose gateway takes the audience of the assertion from the request; without `audience` there is no assertion. */
async function attackAppWithAudience(t: Test, audience?: (request: IncomingMessage, own: string) => unknown) {
  const server = createServer((request, response) => {
    const aud = audience?.(request, `http://localhost:${new URL(url).port}`);
    const payload = Buffer.from(JSON.stringify({ iss: deployment, aud })).toString('base64url');
    const assertion =
      audience === undefined ? '' : `${Buffer.from('{"alg":"EdDSA"}').toString('base64url')}.${payload}.x`;
    response.end(JSON.stringify([request.headers['user-agent'], assertion]));
  });
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return appAssertion.run({
    deployment,
    app: createAppClient({ url: url, timeLeftMs: () => 60_000 }),
    random: randomBytes,
    signedIn: { jar: new CookieJar([['doorcode-session', 'x']]), login: {} },
  } as unknown as Scene);
}

t.test('it passes when the audience is always the app, or a configured one', async (t) => {
  t.match(
    await attackAppWithAudience(t, (_, own) => own),
    /^the assertion is for this app alone, also in the (\d+) of \1 requests/,
  );
  t.match(await attackAppWithAudience(t, () => ['a', 'b']), /^the assertion is for a, b \(ASSERTION_AUDIENCE\)/);
});

t.test('it is skipped when the app receives no assertion', async (t) => {
  await t.rejects(attackAppWithAudience(t), { name: 'NotTried', message: /no assertion \(ASSERTION_KEY\)/ });
});

t.test('it fails when the audience is the login page', async (t) => {
  await t.rejects(
    attackAppWithAudience(t, () => deployment),
    /every app behind it accepts/,
  );
});

const believed: Record<string, (request: IncomingMessage) => string | undefined> = {
  'X-Forwarded-Host:': (request) => lines(request).join(', ') || undefined,
  'X-Forwarded-Host, the first of two values:': (request) => /^(.*),/.exec(lines(request).join())?.[1],
  'X-Forwarded-Host, the second of two values:': (request) => /, (.*)/.exec(lines(request)[0] ?? '')?.[1],
  'X-Forwarded-Host, the first of two lines:': (request) => lines(request).slice(0, -1)[0],
  'X-Forwarded-Host, the second of two lines:': (request) => lines(request)[1],
  'Forwarded: host=': ({ headers }) => /host="(.*)"/.exec(headers.forwarded ?? '')?.[1],
  'Host:': ({ headers }) => headers.host,
  'the request target:': ({ url = '' }) => (url.startsWith('http:') ? new URL(url).host : undefined),
};

for (const [what, hostOf] of Object.entries(believed))
  t.test(`it fails when the audience is taken from ${what.replace(/[:=]*$/, '')}`, async (t) => {
    const attacked = attackAppWithAudience(t, (request, own) => {
      const host = hostOf(request);
      return host === undefined ? own : `http://${host}`;
    });
    await t.rejects(attacked, {
      message: new RegExp(`^${what} ?other\\.localhost:\\d+: the app received an assertion for `),
    });
  });
