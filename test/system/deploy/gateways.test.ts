import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as requestTls } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import autocannon from 'autocannon';
import Fastify from 'fastify';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { type Browser, chromium } from 'playwright-core';
import t, { type Test } from 'tap';
import { freePort, type GatewayName, startGateway } from '../../../bench/gateways.mjs';
import { DoorcodeError } from '../../../src/errors.ts';
import { createAssertions } from '../../../src/gateway/assertion.ts';
import type { Limits } from '../../../src/limits/limits.ts';
import { createMemoryLimits } from '../../../src/limits/memory.ts';
import { createCodec } from '../../../src/seal/codec.ts';
import { deriveKeys } from '../../../src/seal/keys.ts';
import { startSession } from '../../../src/session/session.ts';
import { BROWSER, PASSWORD, testApp } from '../../support/build-app.ts';
import { type Received, startEchoApp } from '../../support/echo-app.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { program } from '../../support/programs.ts';
import { createTestTls } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const KEY = Buffer.alloc(32, 1);
const LOGIN = 'login.example.com';
const APP = 'app.example.com';
const COOKIE = '__Secure-doorcode-session';
const CHALLENGE = '__Host-doorcode-challenge';
const IDLE_TTL = 600;
/** How long a client or a browser waits for the gateway. */
const PATIENCE_MS = 120_000;

/** So many that the Content-Security-Policy of a page, which names them all, exceeds 4 kB. */
const RETURN_ORIGINS = Array.from({ length: 59 }, (_, index) => `https://an-app-with-a-long-name-${index}.${APP}`);

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Limits in memory that fail while they are away, as those in Redis do. */
function interruptibleLimits(memory: Limits) {
  const state = { away: false };
  const limits = Object.fromEntries(
    Object.entries(memory).map(([name, method]) => [
      name,
      async (...args: unknown[]) => {
        if (state.away) throw new DoorcodeError('limits_unavailable', { retryAfterSeconds: 1 });
        return (method as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  ) as unknown as Limits;
  return { limits, state };
}

/** Two replicas of doorcode in this process, behind a gateway on a port. */
async function startReplicas(t: Test, port: number) {
  const origin = `https://${LOGIN}:${port}`;
  const clock = fakeClock();
  const { limits, state: store } = interruptibleLimits(createMemoryLimits({ clock }));
  const env = {
    ORIGIN: origin,
    COOKIE_DOMAIN: 'example.com',
    ALLOWED_RETURN_ORIGINS: [`https://${APP}:${port}`, ...RETURN_ORIGINS].join(','),
    TRUST_PROXY: 'loopback',
    SESSION_KEYS: KEY.toString('base64'),
    SESSION_IDLE_TTL: String(IDLE_TTL),
  };
  const assertions = createAssertions({ keys: [Buffer.alloc(32, 2)], issuer: origin, audience: [origin], clock });
  const startOne = async () => {
    const service = await testApp({
      env,
      clock,
      ports: {
        random: randomBytes,
        limits,
        assertions,
        readiness: { limits: () => (store.away ? 'away' : null) },
      },
    });
    const probes = { count: 0 };
    service.app.server.on('request', ({ url = '' }) => {
      if (url.startsWith('/readyz')) probes.count += 1;
    });
    const url = await service.app.listen({ host: '127.0.0.1', port: 0 });
    t.teardown(() => {
      service.app.server.closeAllConnections();
      return service.app.close();
    });
    return { ...service, url, host: new URL(url).host, probes };
  };
  return { clock, store, replicas: [await startOne(), await startOne()] as const };
}

/** A gateway from its file in deploy/, two replicas, and an app that answers with what it received. */
async function start(t: Test, name: GatewayName) {
  const path = program(t, name);
  if (path === null) return null;
  const port = await freePort();
  const app = await startEchoApp(t);
  const { clock, store, replicas } = await startReplicas(t, port);
  const gateway = await startGateway(name, path, {
    port,
    replicas: [replicas[0].host, replicas[1].host],
    app: new URL(app.url).host,
    tls: createTestTls(),
    patient: true,
  });
  t.teardown(() => gateway.stop());

  /** Asks the gateway for a URL of a host, with headers in just this spelling. */
  const ask = async (
    path: string,
    headers: Record<string, string> = {},
    host = APP,
    method = 'GET',
    body: string | Buffer = '',
  ): Promise<Answer> => {
    const outgoing = requestTls({ host: '127.0.0.1', port, path, method, rejectUnauthorized: false, agent: false });
    outgoing.setHeader('Host', `${host}:${port}`);
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  /**
   * Sends bytes as they are, over HTTP/1.1, and more after the app switched protocols.
   *
   * @returns what came back until the end of the response's head, and then until the app echoed the rest
   */
  const sendRaw = async (bytes: string, afterSwitch = ''): Promise<{ status: number; head: string }> => {
    const socket = connectTls({ host: '127.0.0.1', port, servername: APP, rejectUnauthorized: false });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no response to ${JSON.stringify(bytes)}`)));
    socket.write(bytes, 'latin1');
    let head = '';
    for await (const chunk of socket.setEncoding('latin1')) {
      head += chunk;
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) continue;
      if (afterSwitch !== '' && end + 4 === head.length) socket.write(afterSwitch, 'latin1');
      if (head.length >= end + 4 + afterSwitch.length) break;
    }
    return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head };
  };
  // Health checks have to find both replicas first.
  await until(`${name} finds a replica`, async () => (await ask('/login', BROWSER, LOGIN)).status === 200);

  const codec = await createCodec(Fastify(), deriveKeys([KEY]));
  /** The session's cookie of somebody, signed in and last seen so many seconds ago. */
  const signedIn = (sub = 'demo', secondsAgo = 0) => {
    const session = startSession({ sub, channel: 'sms' }, clock() - secondsAgo * 1000, 43_200, randomBytes);
    return `${COOKIE}=${encodeURIComponent(codec.seal('session', session))}`;
  };
  return { port, ask, sendRaw, signedIn, codec, clock, store, replicas, app, gateway };
}

const valuesOf = (headers: Received['headers']) =>
  Object.fromEntries(headers.map(([key, value]) => [key.toLowerCase(), value]));
/** The headers that the app received, as it answered. */
const seen = ({ body }: Answer) => valuesOf((JSON.parse(body) as Received).headers);

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

/** Statuses of UPGRADES other than 200. Where the app switches protocols, it received `Upgrade: websocket` only. */
const UPGRADE_STATUS: Record<GatewayName, Record<string, number>> = {
  // nginx uses the first line of a repeated header.
  nginx: { 'websocket and h2c in two lines': 101, 'two lines with a WebSocket handshake': 101 },
  // HAProxy checks the last line against RFC 6455 and refuses a handshake without a key.
  haproxy: { 'h2c and websocket in two lines': 400 },
  caddy: {},
};

/** Cookies that a client sends beside its session, and those that the app must receive; `~` stands for the session. */
const COOKIES: readonly (readonly [sent: readonly string[], received: string])[] = [
  [['~'], ''],
  [['~; a=1'], 'a=1'],
  [['a=1; ~'], 'a=1'],
  [['a=1; ~; b=2'], 'a=1; b=2'],
  [['a=1', '~', 'b=2'], 'a=1; b=2'],
  [['a=1;~;b=2'], 'a=1; b=2'],
  [['b=2; ~; a=1; a=1; a=2'], 'b=2; a=1; a=1; a=2'],
  [['a="x y"; b=c=d==; ~; e=; f="q=1"; n; é=%20'], 'a="x y"; b=c=d==; e=; f="q=1"; n; é=%20'],
  [
    ['mydoorcode=1; ~; doorcode=2; doorcode_x=3; next=doorcode-guide'],
    'mydoorcode=1; doorcode=2; doorcode_x=3; next=doorcode-guide',
  ],
  [['__Host-doorcode-challenge=secret; ~; __Host-doorcode-browser=secret; doorcode-locale=secret'], ''],
  [['a=1; __Secure-doorcode-notice=secret; b=2; ~; c=3; x-doorcode-y=secret; doorcode-=secret'], 'a=1; b=2; c=3'],
  [['a=1; __SECURE-DOORCODE-SESSION=secret; ~; b=2; DoorCode-Session=secret'], 'a=1; b=2'],
  [['a=1;\t~; doorcode-session =secret; doorcode-session; =doorcode-session=secret'], 'a=1'],
  [[`~; ${'__Host-doorcode-session=secret; '.repeat(60)}a=1`], 'a=1'],
  [
    [`~; ${Array.from({ length: 9 }, (_, i) => `doorcode-${i}=secret; a${i}=${i}`).join('; ')}`],
    'a0=0; a1=1; a2=2; a3=3; a4=4; a5=5; a6=6; a7=7; a8=8',
  ],
];

/** Names under which apps believe a gateway: who the user is, which client a request is from, and for which URL. */
const FORGED = [
  ...['Remote-User', 'Remote-Name', 'Remote-Email', 'Remote-Groups', 'Remote-Amr', 'Remote-Anything', 'X-Remote-User'],
  ...['X-Doorcode-Assertion', 'X-Doorcode-User', 'Doorcode-User', 'X-Forwarded-User', 'X-Forwarded-Email'],
  ...['X-Forwarded-Groups', 'X-Forwarded-Preferred-Username', 'X-Forwarded-Access-Token', 'X-Forwarded-Prefix'],
  ...['X-Forwarded-Port', 'X-Forwarded-Server', 'X-Forwarded-Anything', 'X-Forwarded-Uri', 'X-Forwarded-Method'],
  ...['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'Forwarded', 'X-Auth-Request-User', 'X-Real-IP'],
  ...['X-Auth-Request-Email', 'X-Original-URL', 'X-Original-URI', 'X-Rewrite-URL', 'X-WebAuth-User', 'Via', 'Proxy'],
  ...['X-Authenticated-User', 'X-authentik-username', 'X-User', 'X-Client-IP', 'Client-IP', 'True-Client-IP'],
  ...['X-Auth-User', 'X-Client-Cert', 'SSL-Client-Cert', 'X-Goog-Authenticated-User-Email', 'CF-Connecting-IP'],
  ...['Cf-Access-Jwt-Assertion', 'Tailscale-User-Login', 'X-Pomerium-Jwt-Assertion', 'X-Vouch-User'],
  ...['Proxy-Authorization', 'TE', 'Keep-Alive', 'Impersonate-User', 'X-UserId', 'Iv-User', 'X-Consumer-Username'],
  ...['Sm-User', 'Shib-User', 'Auth-User', 'X-Trusted-User', 'User', 'Username', 'X-Sso-User', 'X-Ms-Token-User'],
  ...['Oam-Remote-User', 'Http-Remote-User', 'X-Hasura-User-Id', 'X-Grafana-User', 'Kubernetes-User', 'RemoteUser'],
  ...['X-Login-User', 'X-Iap-User', 'X-Proxy-User', '0-User', '-User', '_User', 'User-Agent-User', 'X-Request-Id-User'],
  // No gateway can know these: only a list of the names that are allowed stops them.
  ...Array.from({ length: 20 }, () => `X${randomBytes(6).toString('hex')}-User`),
  ...Array.from({ length: 20 }, () => randomBytes(6).toString('base64url')),
];

/** Its list of the headers that reach the app is also that of the other two files. */
const CONF = readFileSync(new URL('../../../deploy/nginx.conf', import.meta.url), 'utf8');

/** What an app needs of a browser. */
const NEEDED: Record<string, string> = {
  'Accept-Language': 'de',
  Authorization: 'Basic dTpw',
  'If-None-Match': '"x"',
  'Last-Event-ID': '7',
  Origin: 'https://app.example.com',
  Range: 'bytes=0-1',
  Referer: 'https://app.example.com/',
  'Sec-Fetch-Mode': 'cors',
  'User-Agent': 'a browser',
  'X-CSRF-Token': 'token',
  'kbn-xsrf': 'true',
  'OCS-APIRequest': 'true',
  'X-WP-Nonce': 'nonce',
  'Jenkins-Crumb': 'crumb',
  'X-Request-ID': '{env.HOME} {http.request.host} $1',
  'X-Requested-With': 'XMLHttpRequest',
};

/** Spellings of a header that servers may take for one another. */
function spellings(header: string): string[] {
  const signs = header.includes('-') ? ['_', '.', '~', '+', '!', '#', '$', '%', '&', "'", '*', '^', '|', '`'] : [];
  return [
    ...[header, header.toLowerCase(), header.toUpperCase()],
    ...signs.flatMap((sign) => [header.replaceAll('-', sign), header.replace('-', sign)]),
  ];
}

let browser: Promise<Browser> | undefined;

/** One browser for all gateways. */
function startBrowser(executablePath: string): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath,
    timeout: PATIENCE_MS,
    args: [
      ...['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
      '--host-resolver-rules=MAP *.example.com 127.0.0.1',
    ],
  });
  return browser;
}

t.teardown(async () => (await browser)?.close());

for (const name of ['nginx', 'haproxy', 'caddy'] as const) {
  t.test(name, async (t) => {
    const place = await start(t, name);
    if (place === null) return;

    await t.test('no protocol but WebSocket reaches the app, and no tunnel', async (t) => {
      const { app, port, sendRaw, signedIn } = place;
      const head = (method: string, target: string, lines: readonly string[]) =>
        [`${method} ${target} HTTP/1.1`, `Host: ${APP}:${port}`, `Cookie: ${signedIn()}`, ...lines, '', ''].join(
          '\r\n',
        );
      const receivedFor = async (bytes: string, afterSwitch?: string) => {
        const before = app.received.length;
        const answer = await sendRaw(bytes, afterSwitch);
        return { ...answer, received: app.received.slice(before) };
      };

      for (const [what, lines] of Object.entries(UPGRADES)) {
        const { status, received } = await receivedFor(head('GET', '/', lines));
        const expected = UPGRADE_STATUS[name][what] ?? 200;
        t.equal(status, expected, `${what}: ${status}`);
        t.equal(received.length, expected === 400 ? 0 : 1, `${what}: requests that the app received`);
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
        const {
          status,
          head: answered,
          received,
        } = await receivedFor(head('GET', '/socket', lines), 'over the socket');
        t.equal(status, 101, word);
        t.match(answered, /\r\n\r\nover the socket$/, 'data passes in both directions');
        t.match(answered, /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/im);
        const [request] = received;
        const values = Object.fromEntries(request?.headers.map(([key, value]) => [key.toLowerCase(), value]) ?? []);
        t.match(values, { upgrade: 'websocket', connection: /^upgrade$/i, 'remote-user': 'demo' });
      }
    });

    await t.test('the app gets its own cookies, and of headers what the file allows', async (t) => {
      const { app, ask, port, sendRaw, signedIn } = place;
      const cookie = signedIn();
      const request = async (
        lines: readonly string[],
        { method = 'GET', host = `${APP}:${port}`, body = '', target = '/' } = {},
      ) => {
        const before = app.received.length;
        const head = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...lines, '', ''].join('\r\n');
        const answer = await sendRaw(Buffer.from(head + body).toString('latin1'));
        return { ...answer, received: app.received.slice(before) };
      };
      const session = `Cookie: ${cookie}`;

      await t.test('cookies', async (t) => {
        for (const [sent, expected] of COOKIES) {
          const { status, received } = await request(sent.map((line) => `Cookie: ${line.replaceAll('~', cookie)}`));
          t.equal(status, 200, sent.join(' | '));
          const lines = received[0]?.headers.filter(([key]) => /^cookie$/i.test(key)).map(([, value]) => value) ?? [];
          const cookies = Buffer.from(lines.join(';'), 'latin1').toString();
          t.ok(lines.length <= 1 && !lines.includes(''), `one Cookie line, and no empty one: ${JSON.stringify(lines)}`);
          t.strictSame(
            cookies.split(/;[ \t]*/).filter(Boolean),
            expected.split('; ').filter(Boolean),
            sent.join(' | '),
          );
          t.notMatch(JSON.stringify(received), /secret|doorcode-session=/, 'no header contains a cookie of doorcode');
          t.equal(valuesOf(received[0]?.headers ?? [])['remote-user'], 'demo');
        }
        // More runs of cookies of doorcode between other cookies than nginx removes: then the app gets none at all.
        const many = Array.from({ length: 40 }, (_, index) => `doorcode-${index}=secret; a${index}=${index}`).join(
          '; ',
        );
        const { received } = await request([`Cookie: ${cookie}; ${many}`]);
        t.equal(received.length, 1);
        t.notMatch(JSON.stringify(received), /secret|doorcode-session=/);
      });

      await t.test('headers', async (t) => {
        // Three in a request, because HAProxy accepts 101 headers.
        for (let index = 0; index < FORGED.length; index += 3) {
          const forged = FORGED.slice(index, index + 3);
          const lines = forged.flatMap((header) => spellings(header).map((spelling) => `${spelling}: forged`));
          const { status, received } = await request([session, ...lines]);
          t.equal(status, 200, forged.join(', '));
          t.equal(received.length, 1, forged.join(', '));
          t.strictSame(
            received.flatMap(({ headers }) => headers.filter(([, value]) => /forged/.test(value))),
            [],
            forged.join(', '),
          );
        }
        const allowed = [...CONF.matchAll(/^ {6}proxy_set_header (\S+) \$http_/gm)].map(([, header = '']) => header);
        // HAProxy accepts 101 headers in a request.
        for (const some of [allowed.slice(0, 60), allowed.slice(60)]) {
          const all = await request([session, ...some.map((header) => `${header}: of ${header}`)]);
          const reached = valuesOf(all.received[0]?.headers ?? []);
          for (const header of some) t.equal(reached[header.toLowerCase()], `of ${header}`, header);
        }
        const { received } = await request([session, ...Object.entries(NEEDED).map((line) => line.join(': '))]);
        const expected = Object.entries(NEEDED).map(([key, value]) => [key.toLowerCase(), value]);
        t.match(valuesOf(received[0]?.headers ?? []), {
          ...Object.fromEntries(expected),
          host: `${APP}:${port}`,
          'remote-user': 'demo',
          'x-forwarded-for': '127.0.0.1',
          'x-forwarded-host': `${APP}:${port}`,
          'x-forwarded-proto': 'https',
        });
      });

      await t.test('trailers', async (t) => {
        const trailers = 'Remote-User: forged\r\nX-Doorcode-Assertion: forged\r\n\r\n';
        const sizes = ['', '3\r\nabc\r\n', `8000\r\n${'x'.repeat(0x8000)}\r\n`.repeat(3)];
        for (const announced of [[], ['Trailer: Remote-User', 'TE: trailers', 'Connection: TE']]) {
          for (const chunks of sizes) {
            const lines = [session, 'Transfer-Encoding: chunked', ...announced];
            const sent = await request(lines, { method: 'POST', body: `${chunks}0\r\n${trailers}` });
            t.ok([200, 400].includes(sent.status), `${sent.status}`);
            t.notMatch(JSON.stringify(sent.received), /forged/, `${chunks.length} bytes`);
          }
        }
        for (const chunks of sizes) {
          const lines = [session, 'Transfer-Encoding: chunked'];
          const { status, received } = await request(lines, { method: 'POST', body: `${chunks}0\r\n\r\n` });
          t.equal(status, 200, 'a chunked body without trailers');
          t.equal(received[0]?.bodyBytes, chunks.replaceAll(/[^x]/g, '').length || (chunks === '' ? 0 : 3));
        }
        const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', ...WEBSOCKET, 'Transfer-Encoding: chunked'];
        const { received } = await request([session, ...upgrade], { body: `3\r\nabc\r\n0\r\n${trailers}` });
        t.notMatch(JSON.stringify(received), /forged/, 'a WebSocket handshake with a body and trailers');
        // nginx.conf does not speak HTTP/2.
        if (name === 'nginx') return;
        const before = app.received.length;
        const client = connectHttp2(`https://127.0.0.1:${port}`, { servername: APP, rejectUnauthorized: false });
        t.teardown(() => client.destroy());
        for (const length of [{}, { 'content-length': '3' }]) {
          const stream = client.request(
            { ':method': 'POST', ':path': '/', ':authority': `${APP}:${port}`, cookie, ...length },
            { waitForTrailers: true },
          );
          stream.on('wantTrailers', () => stream.sendTrailers({ 'remote-user': 'forged' }));
          stream.end('abc');
          const [headers] = await once(stream, 'response');
          t.ok([200, 400].includes(headers[':status']), `HTTP/2: ${headers[':status']}`);
          stream.close();
        }
        t.notMatch(JSON.stringify(app.received.slice(before)), /forged/, 'HTTP/2');
      });

      await t.test('hosts', async (t) => {
        for (const host of [
          'evil.example',
          '127.0.0.2',
          `${LOGIN}.evil.example`,
          `${APP},evil.example`,
          `evil.example,${APP}`,
        ]) {
          const { status, received } = await request([session], { host });
          t.ok([400, 404, 421].includes(status), `${host}: ${status}`);
          t.strictSame(received, [], host);
        }
        const requests = [
          { host: `${APP}:1` },
          { host: APP.toUpperCase() },
          { host: 'evil.example', target: `https://${APP}/` },
        ];
        for (const options of requests) {
          const { status, received } = await request([session], options);
          if (status === 400) continue;
          t.equal(status, 200, JSON.stringify(options));
          const { host, 'x-forwarded-host': forwarded } = valuesOf(received[0]?.headers ?? []);
          t.strictSame([host, forwarded], [`${APP}:${port}`, `${APP}:${port}`], JSON.stringify(options));
        }
        const { status, head } = await request(['Accept: text/html'], { host: `${APP}:1`, target: '/deep' });
        t.equal(status, 303);
        t.match(
          decodeURIComponent(head),
          `next=https://${APP}:${port}/deep`,
          'the link names the port that was routed',
        );
      });

      await t.test('what is large', async (t) => {
        const megabyte = 1024 * 1024;
        // nginx refuses more than 1 MB unless it is told otherwise.
        const upload = await ask('/', { cookie }, APP, 'POST', Buffer.alloc(5 * megabyte));
        t.equal(upload.status, 200, '5 MB');
        t.match(JSON.parse(upload.body), { bodyBytes: 5 * megabyte });
        t.equal((await ask('/', {}, APP, 'POST', Buffer.alloc(1000))).status, 401, 'without a session');
        const long = `/${'x'.repeat(7000)}`;
        t.match(JSON.parse((await ask(long, { cookie: `${cookie}; a=${'y'.repeat(6000)}` })).body), { path: long });
        const link = `/deep?${'a=%26&'.repeat(250)}`;
        const { status, headers } = await ask(link, BROWSER);
        t.match(headers.location, `https://${LOGIN}:${port}/login?next=`);
        t.equal(status, 303, 'a link of 1,500 characters');
        const renewed = await ask(link, { ...BROWSER, cookie: signedIn('demo', IDLE_TTL / 10 + 1) });
        t.match(renewed, { status: 200, headers: { 'set-cookie': [/doorcode-session/] } }, 'a renewed session');
        for (const header of ['strict-transport-security', 'content-security-policy', 'remote-user'])
          t.notOk(header in renewed.headers, `${header} is not from the app`);
        const page = await ask('/login', BROWSER, LOGIN);
        t.equal(page.status, 200, 'a page that names 60 origins');
        t.match(page.headers['content-security-policy'], RETURN_ORIGINS.at(-1));
      });

      await t.test('server-sent events arrive one by one', async (t) => {
        const outgoing = requestTls({
          host: '127.0.0.1',
          port,
          path: '/events',
          rejectUnauthorized: false,
          agent: false,
        });
        outgoing.setHeader('Host', `${APP}:${port}`).setHeader('Cookie', cookie).end();
        const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
        t.teardown(() => outgoing.destroy());
        t.match(response, { statusCode: 200, headers: { 'content-type': 'text/event-stream' } });
        for (const data of ['first', 'second', 'third']) {
          t.equal(app.sendEvent(data), 1);
          const [chunk] = await once(response, 'data');
          t.equal(String(chunk), `data: ${data}\n\n`);
        }
      });
    });

    await t.test('an app without a login is out of reach without a session', async (t) => {
      const { app, ask, clock, codec, port, signedIn } = place;
      const receivedBefore = app.received.length;
      const link = (uri: string) =>
        `https://${LOGIN}:${port}/login?next=${encodeURIComponent(uri === '/' ? uri : `https://${APP}:${port}${uri}`)}`;
      const browser = await ask('/inbox?a=1&b=%26', BROWSER);
      t.match(browser, { status: 303, headers: { location: link('/inbox?a=1&b=%26') } });
      const program = await ask('/inbox');
      t.match(program, { status: 401, headers: { 'www-authenticate': 'Cookie realm="doorcode"' } });
      t.equal((await ask('/inbox', { accept: 'application/json' }, APP, 'POST')).status, 401);

      const own = startSession({ sub: 'demo', channel: 'sms' }, clock(), 43_200, randomBytes);
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
      t.equal(app.received.length, receivedBefore, 'the app has received none of that');
      for (const path of ['/auth', '/auth/redirect', '/%61uth', '/auth%2fredirect', '//auth', '/./auth'])
        t.equal((await ask(path, { cookie: signedIn() }, LOGIN)).status, 404, path);
      t.equal((await ask('/inbox', { cookie: signedIn() })).status, 200, 'with a session');
    });

    await t.test('the app hears of a person from us only', async (t) => {
      const { ask, clock, port, replicas, signedIn } = place;
      const cookie = signedIn('zoë');
      const plain = seen(await ask('/inbox', { cookie }));
      t.match(plain, { 'remote-user': 'zo%C3%AB', 'remote-amr': 'pwd otp sms' });
      const published = await fetch(`${replicas[0].url}/.well-known/jwks.json`);
      const keys = createLocalJWKSet((await published.json()) as JSONWebKeySet);
      const origin = `https://${LOGIN}:${port}`;
      // What an app does that takes nothing without an assertion.
      const takes = async (headers: Record<string, string>) => {
        const audience = `https://${APP}:${port}`;
        const options = { issuer: origin, audience, algorithms: ['EdDSA'], currentDate: new Date(clock()) };
        return (await jwtVerify(String(headers['x-doorcode-assertion'] ?? ''), keys, options)).payload;
      };
      const payload = await takes(plain);
      t.match(payload, { sub: 'zoë', amr: ['pwd', 'otp', 'sms'] });
      t.ok(Number(payload.exp) - clock() / 1000 <= 60);
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
        t.notMatch(headers['connection'] ?? '', /remote|doorcode/i, `the next on the way drops nothing: ${what}`);
      }
      t.match(
        await ask('/refused', { cookie, ...BROWSER }),
        { status: 401, body: /"path":"\/refused"/ },
        "the app's own 401",
      );
    });

    await t.test('a renewed session reaches the browser, beside what the app sets', async (t) => {
      const { ask, signedIn } = place;
      t.strictSame((await ask('/cookie', { cookie: signedIn() })).headers['set-cookie'], ['theirs=1; Path=/']);
      const answer = await ask('/cookie', {
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
      t.match((await ask('/cookie', { cookie: pair })).headers['set-cookie'], ['theirs=1; Path=/']);
    });

    await t.test('while the limit store is away, sessions go on, and sign-ins are answered by doorcode', async (t) => {
      const { ask, clock, replicas, signedIn, store } = place;
      const cookie = signedIn();
      t.equal((await ask('/inbox', { cookie })).status, 200);
      store.away = true;
      // The result of a readiness check is reused for a second.
      clock.advance(2);
      t.equal((await fetch(`${replicas[0].url}/readyz`)).status, 503);
      const checkedBefore = replicas.map(({ probes }) => probes.count);
      // HAProxy drops a replica after its second failed check, Caddy after the first. nginx has no health checks.
      const isChecked = () =>
        name === 'nginx' || replicas.every(({ probes }, index) => probes.count >= Number(checkedBefore[index]) + 4);
      await until(`${name} checks its replicas`, async () => {
        t.equal((await ask('/inbox', { cookie })).status, 200);
        return isChecked();
      });
      for (let tries = 0; tries < 4; tries += 1) t.equal((await ask('/inbox', { cookie })).status, 200);
      t.equal((await ask('/login', BROWSER, LOGIN)).status, 200);
      const json = { 'content-type': 'application/json' };
      const login = await ask('/login', json, LOGIN, 'POST', '{"username":"alice","password":"wrong"}');
      t.match(login, { status: 503, headers: { 'retry-after': /^\d+$/ }, body: /limits_unavailable/ });
      store.away = false;
    });

    await t.test('a browser signs in on the way, and is where it wanted to go', async (t) => {
      const executablePath = program(t, 'chromium');
      if (executablePath === null) return;
      const { port, replicas } = place;
      const browser = await startBrowser(executablePath);
      const page = await browser.newPage({ ignoreHTTPSErrors: true, locale: 'en' });
      t.teardown(() => page.close());
      page.setDefaultTimeout(PATIENCE_MS);
      const wanted = `https://${APP}:${port}/inbox?a=1&b=2`;
      await page.goto(wanted);
      t.equal(page.url(), `https://${LOGIN}:${port}/login?next=${encodeURIComponent(wanted)}`);
      await page.getByLabel('Username').fill('alice');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL('**/otp');
      const [message] = replicas.flatMap(({ messages }) => messages);
      await page.getByLabel('6-digit code').fill(message?.code ?? '');
      await page.keyboard.press('Enter');
      await page.waitForURL(wanted);
      const shown = JSON.parse(await page.locator('body').innerText());
      t.equal(shown.path, '/inbox?a=1&b=2');
      t.equal(valuesOf(shown.headers)['remote-user'], 'alice');
    });

    await t.test('many requests at once are answered, each with its own user and body', async (t) => {
      const { gateway, port, signedIn } = place;
      const wrong: unknown[] = [];
      const send = (agent: Agent, user: string, body: string) =>
        new Promise<Answer>((resolve, reject) => {
          const headers = { host: `${APP}:${port}`, cookie: signedIn(user), 'transfer-encoding': 'chunked' };
          const options = { agent, host: '127.0.0.1', port, method: 'POST', rejectUnauthorized: false, headers };
          const outgoing = requestTls(options, (response) =>
            text(response).then((body) => resolve({ status: response.statusCode ?? 0, headers: {}, body }), reject),
          );
          outgoing.on('error', reject).end(body);
        });
      const client = async (_: unknown, number: number) => {
        // As many browsers do: a new connection after a few requests.
        for (let round = 0; round < 3; round += 1) {
          const agent = new Agent({ keepAlive: true, maxSockets: 1 });
          for (let count = 0; count < 4; count += 1) {
            const user = `u${number}x${round}x${count}`;
            const body = `body ${number} ${round} ${count}`;
            try {
              const answer = await send(agent, user, body);
              const received = JSON.parse(answer.body) as Received;
              if (valuesOf(received.headers)['remote-user'] !== user || received.body !== body) wrong.push(answer);
            } catch (error) {
              wrong.push(error);
            }
          }
          agent.destroy();
        }
      };
      await Promise.all(Array.from({ length: 20 }, client));
      t.strictSame(wrong.slice(0, 5), [], gateway.output());
    });
  });

  t.test(`${name}: starts, and serves, while the name of a replica cannot be resolved`, async (t) => {
    const path = program(t, name);
    if (path === null) return;
    const port = await freePort();
    const { replicas } = await startReplicas(t, port);
    const gateway = await startGateway(name, path, {
      port,
      replicas: ['doorcode-1.invalid:3000', replicas[0].host],
      app: 'app.invalid:8080',
      tls: createTestTls(),
      patient: true,
      changes: name === 'nginx' ? [['resolver_timeout 2s', 'resolver_timeout 100ms']] : [],
    });
    t.teardown(() => gateway.stop());
    const statusOf = async () => {
      const outgoing = requestTls({ host: '127.0.0.1', port, path: '/login', rejectUnauthorized: false, agent: false });
      outgoing.setHeader('Host', `${LOGIN}:${port}`).end();
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    await until(`${name} finds the replica`, async () => (await statusOf()) === 200);
    for (let tries = 0; tries < 4; tries += 1) t.equal(await statusOf(), 200);
  });
}

t.test('haproxy: many threads that run the Lua filter at the same moment do not crash it', async (t) => {
  const path = program(t, 'haproxy');
  if (path === null) return;
  const port = await freePort();
  const gateway = await startGateway('haproxy', path, {
    port,
    replicas: ['127.0.0.1:9', '127.0.0.1:9'],
    app: '127.0.0.1:9',
    tls: createTestTls(),
    patient: true,
    // More threads than cores: one is then often interrupted within the filter.
    changes: [['\nglobal\n', '\nglobal\n  nbthread 16\n']],
  });
  t.teardown(() => gateway.stop());
  // HAProxy answers these by itself, so nothing else limits how many it works on.
  const { errors } = await autocannon({
    url: `https://127.0.0.1:${port}/`,
    headers: { host: 'other.example.com' },
    connections: 50,
    pipelining: 10,
    amount: 40_000,
    timeout: 120,
  });
  t.equal(errors, 0, gateway.output());
  // An alert that no replica answers is expected: there is none.
  t.notMatch(gateway.output(), /ended with|panic/);
});
