import t from 'tap';
import { createClient } from '../../src/attack/client.ts';
import { DOORS, openDoor } from '../../src/attack/doors.ts';
import { CookieJar } from '../../src/attack/jar.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';

type Answers = Record<string, { status: number; headers?: Record<string, string> }>;
const SHUT: Answers = {
  '/session': { status: 401 },
  '/': { status: 303, headers: { location: '/login' } },
  '/auth': { status: 401, headers: { 'remote-user': '' } },
  '/auth/redirect': { status: 401 },
};

t.test('shut is what sends away, and names nobody', async (t) => {
  let answers = SHUT;
  const { url, visits } = await startLoopbackServer(t, ({ path }, response) => {
    const { status = 404, headers = {} } = answers[path] ?? {};
    response.writeHead(status, headers).end();
  });
  const client = createClient({ url, maxRequests: 100 });
  t.teardown(() => client.close());
  const jar = new CookieJar([['a', '1']]);
  t.equal(await openDoor(client, { jar, headers: { 'x-more': 'y' } }), null);
  t.strictSame(
    visits.map(({ path }) => path),
    [...DOORS],
  );
  t.ok(visits.every(({ headers }) => headers.cookie === 'a=1' && headers['x-more'] === 'y'));

  const table: [Answers, string | null][] = [
    [{ '/auth': { status: 404 }, '/auth/redirect': { status: 404 } }, null],
    [{ '/session': { status: 200 } }, '/session answered 200'],
    [{ '/session': { status: 500 } }, '/session answered 500'],
    [{ '/session': { status: 404 } }, '/session answered 404'],
    [{ '/': { status: 200 } }, '/ answered 200'],
    [{ '/': { status: 303, headers: { location: '/inbox' } } }, '/ answered 303'],
    [{ '/auth': { status: 200 } }, '/auth answered 200'],
    [{ '/auth': { status: 401, headers: { 'remote-user': 'alice' } } }, '/auth named a user'],
    [{ '/auth/redirect': { status: 401, headers: { 'x-doorcode-assertion': 'x' } } }, '/auth/redirect named a user'],
  ];
  for (const [changed, found] of table) {
    answers = { ...SHUT, ...changed };
    t.equal(await openDoor(client, {}), found, JSON.stringify(changed));
  }
});
