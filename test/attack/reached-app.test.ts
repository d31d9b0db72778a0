import { randomBytes } from 'node:crypto';
import t from 'tap';
import { createAppClient } from '../../src/attack/app-client.ts';
import type { Scene } from '../../src/attack/attack.ts';
import { CookieJar } from '../../src/attack/jar.ts';
import { reachApp, repeated } from '../../src/attack/reached-app.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';

const jar = new CookieJar([['__Secure-doorcode-session', 'x=']]);
const sceneAt = (url: string, cookies = jar) =>
  ({
    app: createAppClient({ url, timeLeftMs: () => 60_000 }),
    random: randomBytes,
    signedIn: { jar: cookies, login: {} },
  }) as unknown as Scene;

t.test('an app is reached with the session, and may repeat what it was sent', async (t) => {
  const { url, visits } = await startLoopbackServer(t, ({ path, headers }, response) => {
    if (path === '/headers') response.setHeader('x-agent', headers['user-agent'] ?? '').end();
    else response.end(path === '/body' ? JSON.stringify(headers) : 'hello');
  });
  for (const [path, echoes] of [
    ['/body', true],
    ['/headers', true],
    ['/quiet', false],
  ] as const) {
    const reached = await reachApp(sceneAt(url + path));
    t.match(reached, { echoes, session: '__Secure-doorcode-session=x=' }, path);
    t.equal(visits.at(-1)?.headers.cookie, '__Secure-doorcode-session=x=');
    t.equal(repeated(reached.answer).includes('hello'), path === '/quiet');
  }
});

t.test('where no app is named, or it is not reached, nothing can be said', async (t) => {
  const { url } = await startLoopbackServer(t, ({ path }, response) => {
    response.statusCode = Number(path.slice(1));
    response.end();
  });
  await t.rejects(reachApp({} as Scene), /--app URL/);
  await t.rejects(reachApp(sceneAt(url, new CookieJar())), /no session cookie/);
  for (const status of [401, 303, 502])
    await t.rejects(reachApp(sceneAt(`${url}/${status}`)), new RegExp(`${status}: is it behind this deployment`));
  t.equal((await reachApp(sceneAt(`${url}/404`))).answer.status, 404, "the app's own affair");
});
