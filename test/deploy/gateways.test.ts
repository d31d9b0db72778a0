import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import Fastify from 'fastify';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { chromium } from 'playwright-core';
import t, { type Test } from 'tap';
import { freePort, type GatewayName, startGateway } from '../../bench/gateways.mjs';
import { createCodec } from '../../src/seal/codec.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { startSession } from '../../src/session/session.ts';
import { BROWSER } from '../support/build-app.ts';
import { startEchoApp } from '../support/echo-app.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { program } from '../support/programs.ts';
import { startRedis } from '../support/redis.ts';
import { type RunningService, startService } from '../support/service.ts';
import { createTestTls } from '../support/tls.ts';

const KEY = Buffer.alloc(32, 1);
const LOGIN = 'login.example.com';
const APP = 'app.example.com';
const COOKIE = '__Secure-doorcode-session';
const CHALLENGE = '__Host-doorcode-challenge';
const IDLE_TTL = 600;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A gateway from its file in deploy/, two replicas, and an app that answers with the headers it was sent. */
async function start(t: Test, name: GatewayName, settings: Record<string, string> = {}, appUrl?: string) {
  const path = program(t, name);
  if (path === null) return null;
  const port = await freePort();
  const tls = createTestTls();
  const env = {
    ORIGIN: `https://${LOGIN}:${port}`,
    COOKIE_DOMAIN: 'example.com',
    ALLOWED_RETURN_ORIGINS: `https://${APP}:${port}`,
    TRUST_PROXY: 'loopback',
    SESSION_KEYS: KEY.toString('base64'),
    SESSION_IDLE_TTL: String(IDLE_TTL),
    ASSERTION_KEY: Buffer.alloc(32, 2).toString('base64'),
    RESEND_COOLDOWN: '0',
    ...settings,
  };
  const [one, two] = await Promise.all([startService(t, env), startService(t, env)]);
  const app = await startLoopbackServer(t, ({ path, headers, body }, response) => {
    if (path === '/refused') response.statusCode = 401;
    response.setHeader('set-cookie', 'theirs=1; Path=/');
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ path, headers, body }));
  });
  const gateway = await startGateway(name, path, {
    port,
    replicas: [new URL(one.url).host, new URL(two.url).host],
    app: new URL(appUrl ?? app.url).host,
    tls,
  });
  t.teardown(() => gateway.stop());

  /** Asks the gateway for a URL of a host, with headers in just this spelling. */
  const ask = async (
    path: string,
    headers: Record<string, string> = {},
    host = APP,
    method = 'GET',
    body = '',
  ): Promise<Answer> => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, rejectUnauthorized: false, agent: false });
    outgoing.setHeader('Host', `${host}:${port}`);
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  /** Sends bytes as they are, over HTTP/1.1. @returns what came back until the end of the response's head */
  const sendRaw = async (bytes: string): Promise<{ status: number; head: string }> => {
    const socket = connectTls({ host: '127.0.0.1', port, servername: APP, rejectUnauthorized: false });
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no response to ${JSON.stringify(bytes)}`)));
    socket.write(bytes);
    let head = '';
    for await (const chunk of socket.setEncoding('latin1')) {
      head += chunk;
      if (head.includes('\r\n\r\n')) break;
    }
    return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head };
  };
  // Health checks have to find both replicas first.
  for (let tries = 0; (await ask('/login', BROWSER, LOGIN)).status !== 200 && tries < 100; tries += 1)
    await setTimeout(50);

  const codec = await createCodec(Fastify(), deriveKeys([KEY]));
  /** The session's cookie of somebody, signed in and last seen so many seconds ago. */
  const signedIn = (sub = 'demo', secondsAgo = 0) => {
    const session = startSession({ sub, channel: 'sms' }, Date.now() - secondsAgo * 1000, 43_200, randomBytes);
    return `${COOKIE}=${encodeURIComponent(codec.seal('session', session))}`;
  };
  return { port, ask, sendRaw, signedIn, codec, services: [one, two] as const, visits: app.visits, gateway };
}

const seen = ({ body }: Answer) => (JSON.parse(body) as { headers: IncomingHttpHeaders }).headers;
const lastCode = (services: readonly RunningService[]) =>
  services.flatMap((service) => [...service.output().matchAll(/code (\d{6})/g)].map(([, code = '']) => code)).at(-1) ??
  '';

const WEBSOCKET = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
const SETTINGS = 'HTTP2-Settings: AAMAAABkAAQAAP__';

/** Header lines by which a client asks for another protocol than WebSocket, or in a way that is ambiguous. */
const UPGRADES: Record<string, readonly string[]> = {
  h2c: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', SETTINGS],
  H2C: ['Connection: upgrade', 'Upgrade: H2C'],
  'h2c, websocket': ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c, websocket', SETTINGS, ...WEBSOCKET],
  'websocket, h2c': ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: websocket, h2c', SETTINGS, ...WEBSOCKET],
  'h2c and websocket in two lines': ['Connection: Upgrade', 'Upgrade: h2c', 'Upgrade: websocket', SETTINGS],
  'websocket and h2c in two lines': ['Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c', SETTINGS],
  'two lines with a WebSocket handshake': ['Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c', ...WEBSOCKET],
  'Connection in two lines': ['Connection: HTTP2-Settings', 'Connection: Upgrade', 'Upgrade: h2c', SETTINGS],
  'no Connection': ['Upgrade: h2c', SETTINGS],
  'HTTP2-Settings alone': ['Connection: HTTP2-Settings', SETTINGS],
  'h2c instead of Upgrade in Connection': ['Connection: h2c', 'Upgrade: h2c'],
  'an unknown protocol': ['Connection: Upgrade', 'Upgrade: something'],
  'TLS in the connection (RFC 2817)': ['Connection: Upgrade', 'Upgrade: TLS/1.0'],
  'a version': ['Connection: Upgrade', 'Upgrade: websocket/13', ...WEBSOCKET],
  'a word that begins like it': ['Connection: Upgrade', 'Upgrade: websockets', ...WEBSOCKET],
  'an empty value': ['Connection: Upgrade', 'Upgrade:'],
  'identity headers in Connection': ['Connection: Upgrade, Remote-User, X-Doorcode-Assertion', 'Upgrade: h2c'],
};

for (const name of ['nginx', 'haproxy', 'caddy'] as const) {
  t.test(`${name}: no protocol but WebSocket reaches the app, and no tunnel`, async (t) => {
    const app = await startEchoApp(t);
    const place = await start(t, name, {}, app.url);
    if (place === null) return;
    const { port, sendRaw, signedIn } = place;
    const head = (method: string, target: string, lines: readonly string[]) =>
      [`${method} ${target} HTTP/1.1`, `Host: ${APP}:${port}`, `Cookie: ${signedIn()}`, ...lines, '', ''].join('\r\n');
    const receivedFor = async (bytes: string) => {
      const before = app.received.length;
      const answer = await sendRaw(bytes);
      return { ...answer, received: app.received.slice(before) };
    };

    for (const [what, lines] of Object.entries(UPGRADES)) {
      const { status, received } = await receivedFor(head('GET', '/', lines));
      const upgrades = received.flatMap(({ headers }) => headers.filter(([key]) => /^upgrade$/i.test(key)));
      t.strictSame(
        upgrades.filter(([, value]) => value !== 'websocket'),
        [],
        `${what}: Upgrade`,
      );
      const hopByHop = received.flatMap(({ headers }) => headers.filter(([key]) => /^http2.settings$/i.test(key)));
      t.strictSame(hopByHop, [], `${what}: HTTP2-Settings`);
      for (const { headers } of received) {
        const connection = headers.filter(([key]) => /^connection$/i.test(key)).map(([, value]) => value);
        t.match(connection.join(', '), /^(upgrade|keep-alive|close|)$/i, `${what}: Connection`);
        t.match(new Map(headers.map(([key, value]) => [key.toLowerCase(), value])).get('remote-user'), 'demo', what);
      }
      if (status === 101)
        t.strictSame(
          upgrades.map(([, value]) => value),
          ['websocket'],
          `${what}: ${status}`,
        );
    }
    const posted = await receivedFor(head('POST', '/', ['Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 0']));
    t.match(posted.received, [{ method: 'POST' }]);
    t.notMatch(JSON.stringify(posted.received[0]?.headers), /upgrade/i, 'POST');

    for (const method of ['CONNECT', 'TRACE']) {
      const targets = method === 'CONNECT' ? [`${APP}:${port}`, '127.0.0.1:1', '/'] : ['/'];
      for (const target of targets) {
        const { status, received } = await receivedFor(head(method, target, ['Remote-User: admin']));
        t.ok(status >= 400 && status < 500, `${method} ${target}: ${status}`);
        t.strictSame(received, [], `${method} ${target}`);
      }
    }

    for (const word of ['websocket', 'WebSocket', 'WEBSOCKET']) {
      const lines = ['Connection: keep-alive, Upgrade', `Upgrade: ${word}`, ...WEBSOCKET];
      const { status, head: answered, received } = await receivedFor(head('GET', '/socket', lines));
      t.equal(status, 101, word);
      t.match(answered, /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/im);
      const [request] = received;
      const values = Object.fromEntries(request?.headers.map(([key, value]) => [key.toLowerCase(), value]) ?? []);
      t.match(values, { upgrade: 'websocket', connection: /^upgrade$/i, 'remote-user': 'demo' });
    }
  });

  t.test(`${name}: an app without a login is out of reach without a session`, async (t) => {
    const place = await start(t, name);
    if (place === null) return;
    const { ask, port, visits, signedIn, codec, services } = place;
    const link = (uri: string) =>
      `https://${LOGIN}:${port}/login?next=${encodeURIComponent(uri === '/' ? uri : `https://${APP}:${port}${uri}`)}`;
    const browser = await ask('/inbox?a=1&b=%26', BROWSER);
    t.match(browser, { status: 303, headers: { location: link('/inbox?a=1&b=%26') } });
    t.equal((await ask('/inbox')).status, 401);
    t.equal((await ask('/inbox', { accept: 'application/json' }, APP, 'POST')).status, 401);

    const own = startSession({ sub: 'demo', channel: 'sms' }, Date.now(), 43_200, randomBytes);
    const refused = {
      'a forged name': { 'Remote-User': 'demo', Remote_User: 'demo', 'X-Doorcode-Assertion': 'x' },
      'a challenge in the place of a session': {
        cookie: `${COOKIE}=${encodeURIComponent(codec.seal('challenge', own))}`,
      },
      'a challenge': { cookie: `${CHALLENGE}=${encodeURIComponent(codec.seal('challenge', own))}` },
      'a session that nobody used': { cookie: signedIn('demo', IDLE_TTL) },
      'a cookie that is none': { cookie: `${COOKIE}=x` },
      'the cookie as one to drop': { cookie: `${COOKIE}=x`, connection: 'Cookie' },
    };
    for (const [what, headers] of Object.entries(refused)) t.equal((await ask('/inbox', headers)).status, 401, what);

    const elsewhere = [
      ...[
        '//evil.example',
        '/\\evil.example',
        '/%6cogin',
        '/.//evil.example',
        '/%00',
        '/%09/evil.example',
        '/@evil.example',
      ],
    ];
    const forwarded: Record<string, string>[] = [
      { 'X-Forwarded-Host': 'evil.example' },
      { 'X-Forwarded-Uri': '//evil.example' },
      { 'X-Forwarded-Uri': '/\\evil.example' },
      { 'X-Forwarded-Uri': 'https:evil.example' },
      { 'X-Forwarded-Proto': 'javascript' },
      { 'X-Forwarded-Host': 'user:password@evil.example', 'X-Forwarded-For': '127.0.0.1' },
      { 'X-Forwarded-Method': 'POST', 'X-Original-URL': '/', 'X-Rewrite-URL': '/login' },
    ];
    for (const [uri, headers] of [
      ...elsewhere.map((uri) => [uri, {}] as const),
      ...forwarded.map((headers) => ['/x', headers] as const),
    ]) {
      const { status, headers: answered } = await ask(uri, { ...BROWSER, ...headers });
      const what = `${uri} ${JSON.stringify(headers)}: ${status} ${answered.location}`;
      if (status === 400) continue;
      t.equal(status, 303, what);
      const to = new URL(answered.location ?? '');
      t.equal(to.origin, `https://${LOGIN}:${port}`, what);
      const next = new URL(to.searchParams.get('next') ?? 'evil:', to.origin);
      t.ok([LOGIN, APP].includes(next.hostname) && next.protocol === 'https:', what);
    }
    t.equal(visits.length, 0, 'the app has seen none of that');
    for (const path of ['/auth', '/auth/redirect', '/%61uth', '/auth%2fredirect', '//auth', '/./auth'])
      t.equal((await ask(path, { cookie: signedIn() }, LOGIN)).status, 404, path);
    t.equal((await ask('/inbox', { cookie: signedIn() })).status, 200, 'with a session');
    t.equal(services.length, 2);
  });

  t.test(`${name}: the app hears of a person from us only`, async (t) => {
    const place = await start(t, name);
    if (place === null) return;
    const { ask, signedIn, services, port } = place;
    const cookie = signedIn('zoë');
    const plain = seen(await ask('/inbox', { cookie }));
    t.match(plain, { 'remote-user': 'zo%C3%AB', 'remote-amr': 'pwd otp sms' });
    const keys = createRemoteJWKSet(new URL(`${services[0].url}/.well-known/jwks.json`));
    const origin = `https://${LOGIN}:${port}`;
    // What an app does that takes nothing without an assertion.
    const takes = async (headers: IncomingHttpHeaders) => {
      const options = { issuer: origin, audience: `https://${APP}:${port}`, algorithms: ['EdDSA'] };
      return (await jwtVerify(String(headers['x-doorcode-assertion'] ?? ''), keys, options)).payload;
    };
    const payload = await takes(plain);
    t.match(payload, { sub: 'zoë', amr: ['pwd', 'otp', 'sms'] });
    t.ok(Number(payload.exp) - Date.now() / 1000 <= 60);
    await t.rejects(takes({}), 'traffic without an assertion');

    const tricks: Record<string, string>[] = [
      { 'Remote-User': 'admin' },
      { Remote_User: 'admin' },
      { 'REMOTE-USER': 'admin', 'remote-amr': 'hwk' },
      { remote_user: 'admin', Remote_Amr: 'hwk' },
      { 'X-Doorcode-Assertion': 'forged' },
      { X_Doorcode_Assertion: 'forged', 'X-Doorcode_Assertion': 'forged' },
      { 'Remote-Groups': 'admin', Remote_Groups: 'admin' },
      // Servers that make variables of headers, as CGI does, may turn any sign into an underscore.
      {
        'Remote.User': 'admin',
        'remote~amr': 'hwk',
        'X.Doorcode.Assertion': 'forged',
        'X-Doorcode+Assertion': 'forged',
      },
      { connection: 'Remote-User' },
      { connection: 'close, remote-user, X-Doorcode-Assertion', 'Remote-User': 'admin' },
      { connection: 'keep-alive, Remote-Amr', Remote_User: 'admin' },
      { connection: 'Upgrade, Remote-User, X-Doorcode-Assertion', upgrade: 'something' },
    ];
    for (const trick of tricks) {
      const headers = seen(await ask('/inbox', { cookie, ...trick }));
      const told = Object.entries(headers).filter(([name]) => /^(remote|x.doorcode)/.test(name));
      const what = JSON.stringify(trick);
      t.equal(headers['remote-user'], 'zo%C3%AB', what);
      t.equal(headers['remote-amr'], 'pwd otp sms', what);
      t.equal((await takes(headers)).sub, 'zoë', what);
      t.notMatch(JSON.stringify(told), /admin|forged|hwk/, what);
      t.notMatch(headers.connection ?? '', /remote|doorcode/i, `the next on the way drops nothing: ${what}`);
    }
    t.match(
      await ask('/refused', { cookie, ...BROWSER }),
      { status: 401, body: /"path":"\/refused"/ },
      "the app's own 401",
    );
  });

  t.test(`${name}: a renewed session reaches the browser, beside what the app sets`, async (t) => {
    const place = await start(t, name);
    if (place === null) return;
    const { ask, signedIn } = place;
    t.strictSame((await ask('/', { cookie: signedIn() })).headers['set-cookie'], ['theirs=1; Path=/']);
    const answer = await ask('/', {
      cookie: signedIn('demo', IDLE_TTL / 10 + 1),
      'Remote-User': 'admin',
      'X-Doorcode-Assertion': 'x',
    });
    t.match(seen(answer), { 'remote-user': 'demo', 'remote-amr': 'pwd otp sms', 'x-doorcode-assertion': /^ey/ });
    const cookies = answer.headers['set-cookie'] ?? [];
    t.equal(cookies.length, 2);
    const renewed = cookies.find((line) => line.startsWith(COOKIE)) ?? '';
    t.match(renewed, /; Domain=example\.com; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const [pair = ''] = renewed.split(';');
    t.match((await ask('/', { cookie: pair })).headers['set-cookie'], ['theirs=1; Path=/']);
  });

  t.test(`${name}: while the limit store is away, the signed-in go on, and others are told by us`, async (t) => {
    const redis = await startRedis(t);
    if (redis === null) return;
    const place = await start(t, name, { REDIS_URL: redis.url });
    if (place === null) return;
    const { ask, signedIn } = place;
    const cookie = signedIn();
    t.equal((await ask('/inbox', { cookie })).status, 200);
    await redis.kill();
    // As long as a gateway takes to find a replica that is not ready: two checks, half a second apart.
    const until = performance.now() + 2500;
    const statuses = new Set<number>();
    while (performance.now() < until) {
      statuses.add((await ask('/inbox', { cookie })).status);
      await setTimeout(100);
    }
    t.strictSame([...statuses], [200]);
    t.equal((await ask('/login', BROWSER, LOGIN)).status, 200);
    const login = await ask(
      '/login',
      { 'content-type': 'application/json' },
      LOGIN,
      'POST',
      '{"username":"demo","password":"demo"}',
    );
    t.match(login, { status: 503, headers: { 'retry-after': /^\d+$/ }, body: /limits_unavailable/ });
  });

  t.test(`${name}: a browser signs in on the way, and is where it wanted to go`, async (t) => {
    const place = await start(t, name);
    const executablePath = program(t, 'chromium');
    if (place === null || executablePath === null) return;
    const { port, services } = place;
    const browser = await chromium.launch({
      executablePath,
      args: [
        ...['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
        '--host-resolver-rules=MAP *.example.com 127.0.0.1',
      ],
    });
    t.teardown(() => browser.close());
    const page = await browser.newPage({ ignoreHTTPSErrors: true, locale: 'en' });
    const wanted = `https://${APP}:${port}/inbox?a=1&b=2`;
    await page.goto(wanted);
    t.equal(page.url(), `https://${LOGIN}:${port}/login?next=${encodeURIComponent(wanted)}`);
    await page.getByLabel('Username').fill('demo');
    await page.getByLabel('Password').fill('demo');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL('**/otp');
    await page.getByLabel('6-digit code').fill(lastCode(services));
    await page.keyboard.press('Enter');
    await page.waitForURL(wanted);
    const shown = JSON.parse(await page.locator('body').innerText());
    t.match(shown, { path: '/inbox?a=1&b=2', headers: { 'remote-user': 'demo' } });
  });
}
