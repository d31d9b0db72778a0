import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createAppClient } from '../../../src/attack/app-client.ts';
import type { Scene } from '../../../src/attack/attack.ts';
import { appIdentity } from '../../../src/attack/attacks/app-identity.ts';
import { CookieJar } from '../../../src/attack/jar.ts';

/** An app behind a gateway that passes on `User-Agent` and the named headers and trailers, in this spelling. */
async function attackAppThatReceives(t: Test, names: readonly string[]) {
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    const { rawHeaders, rawTrailers } = request;
    const passed = (fields: readonly string[], allowed: readonly string[]) =>
      fields.flatMap((name, index) => (index % 2 === 0 && allowed.includes(name) ? [fields[index + 1]] : []));
    const headers = passed(rawHeaders, ['User-Agent', ...names]);
    const trailers = passed(
      rawTrailers,
      names.map((name) => name.replace(/^trailer /, '')),
    );
    response.end(JSON.stringify(names.some((name) => name.startsWith('trailer ')) ? [headers, trailers] : headers));
  });
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return appIdentity.run({
    app: createAppClient({ url, timeLeftMs: () => 60_000 }),
    random: randomBytes,
    signedIn: { jar: new CookieJar([['doorcode-session', 'x']]), login: {} },
  } as unknown as Scene);
}

t.test('it passes when the app receives no forged value', async (t) => {
  t.match(
    await attackAppThatReceives(t, []),
    /^(\d+) requests with a forged user: \1 reached the app, without the forged value$/,
  );
});

for (const name of [
  'Remote-User',
  'Remote_User',
  'Remote.User',
  'X-Remote-User',
  'X-Forwarded-User',
  'X-Webauth-User',
  'X-Doorcode-Assertion',
])
  t.test(`it fails when the app receives ${name}`, async (t) => {
    await t.rejects(attackAppThatReceives(t, [name]), { message: `${name}: the app received the forged value` });
  });

t.test('it fails when the app receives Remote-User in a trailer', async (t) => {
  await t.rejects(attackAppThatReceives(t, ['trailer Remote-User']), {
    message: 'Remote-User in a trailer: the app received the forged value',
  });
});
