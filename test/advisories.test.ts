import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { DoorcodeError } from '../src/errors.ts';
import type { Limits } from '../src/limits/limits.ts';
import { createMemoryLimits } from '../src/limits/memory.ts';
import { createRedisLimits } from '../src/limits/redis.ts';
import { silentLog } from '../src/log.ts';
import { createCodec } from '../src/seal/codec.ts';
import { deriveKeys } from '../src/seal/keys.ts';
import { ALICE, BOB, BROWSER, CookieJar, PASSWORD, type TestApp, testApp, wrongCode } from './support/build-app.ts';
import { fakeClock } from './support/fake-clock.ts';
import { startRedis, TEST_KEYS } from './support/redis.ts';
import { startService } from './support/service.ts';
import { NUMBER, verificationApi } from './support/verifications.ts';

// What has gone wrong in services of this kind: one test for each published advisory, named by its id and the cause.

const EVIL = 'evil.example';
const DOORS = ['/session', '/auth', '/auth/redirect', '/'];
const deploy = (file: string) => readFileSync(new URL(`../deploy/${file}`, import.meta.url), 'utf8');
const codeOf = (response: { json(): { code?: string } }) => response.json().code;

/** Types so many wrong codes. @returns the answers' codes, in order */
async function guess({ post }: TestApp, jar: CookieJar, code: string, times: number): Promise<(string | undefined)[]> {
  const answers: (string | undefined)[] = [];
  for (let step = 0; step < times; step += 1) {
    answers.push(codeOf(await post('/otp', { otp: wrongCode(code) }, jar)));
  }
  return answers;
}

/** Tries wrong passwords, one for each of the requests. @returns how many were looked at */
async function looked(service: TestApp, requests: readonly { username?: string; headers?: Record<string, string> }[]) {
  let count = 0;
  for (const { username = ALICE.username, headers = {} } of requests) {
    const response = await service.post('/login', { username, password: 'wrong' }, undefined, headers);
    if (response.statusCode === 401) count += 1;
  }
  return count;
}

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

async function assertNobody({ get }: TestApp, t: Test, jar: CookieJar, headers: Record<string, string> = {}) {
  for (const door of DOORS) {
    const response = await get(door, jar.clone(), headers);
    t.ok(response.statusCode === 401 || response.headers['location'] === '/login', `${door} ${response.statusCode}`);
    if (door.startsWith('/auth')) t.equal(response.headers['remote-user'], '', `${door} names nobody`);
  }
}

const WRONG = 'otp_invalid';

t.test('CVE-2026-78655: attempts in a cookie that the client can put back', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  const first = jar.clone();
  const answers = await Promise.all(times(3, () => guess(service, first.clone(), code, 1)));
  t.strictSame(answers.flat(), [WRONG, WRONG, WRONG]);
  t.equal((await service.post('/otp', { otp: wrongCode(code) }, first.clone())).json().attemptsLeft, 1);
  t.equal((await service.post('/otp', { otp: wrongCode(code) }, first.clone())).json().attemptsLeft, 0);
  t.equal(codeOf(await service.post('/otp', { otp: code }, first.clone())), 'otp_attempts_exhausted');
});

t.test('CVE-2026-128332: a count that begins again with a new login or a new code', async (t) => {
  const service = await testApp();
  const one = await service.login();
  await guess(service, one.jar, one.code, 4);
  const other = await service.login();
  await guess(service, other.jar, other.code, 4);
  await service.post('/otp/resend', {}, other.jar);
  const code = service.messages.at(-1)?.code ?? '';
  t.strictSame(await guess(service, other.jar, code, 3), [WRONG, WRONG, 'account_locked']);
  t.equal(codeOf(await service.post('/otp', { otp: code }, other.jar)), 'account_locked', 'the right one, too');
});

t.test('CVE-2026-35597: a lock whose writing is lost, in one store or for a moment', async (t) => {
  const clock = fakeClock();
  const redis = await startRedis(t);
  const stores: Record<string, Limits> = { memory: createMemoryLimits({ clock }) };
  if (redis !== null) {
    const shared = createRedisLimits({ masterKeys: TEST_KEYS, url: redis.url, clock, log: silentLog, timeoutMs: 5000 });
    t.teardown(() => shared.close());
    await shared.connected(5000);
    stores['Redis'] = shared;
  }
  const memory = createMemoryLimits({ clock });
  let lost = 0;
  stores['memory that misses the lock'] = {
    ...memory,
    claim: async (rule, key, ttl) => {
      if (rule === 'lock' && lost === 0) {
        lost += 1;
        throw new DoorcodeError('limits_unavailable');
      }
      return memory.claim(rule, key, ttl);
    },
  };
  for (const [name, limits] of Object.entries(stores)) {
    const service = await testApp({ clock, ports: { limits, random: randomBytes } });
    const [one, other, third] = [await service.login(), await service.login(), await service.login()];
    await guess(service, one.jar, one.code, 5);
    await guess(service, other.jar, other.code, 5);
    const right = () => service.post('/otp', { otp: third.code }, third.jar.clone());
    t.equal(codeOf(await right()), 'account_locked', name);
    clock.advance(6);
    t.equal(codeOf(await right()), 'account_locked', `${name}, later`);
    t.equal(codeOf((await service.login()).response), 'invalid_credentials', `${name}: no new login either`);
  }
  t.equal(lost, 1);
});

t.test('CVE-2024-21662: a counter that a flood of made-up names pushes out', async (t) => {
  const clock = fakeClock();
  const limits = createMemoryLimits({ clock, maxKeys: () => 50 });
  const service = await testApp({
    clock,
    ports: { limits },
    env: { TRUST_PROXY: 'loopback', LIMIT_PASSWORD_ADDRESS: 'off' },
  });
  t.equal(
    await looked(
      service,
      times(7, () => ({})),
    ),
    5,
  );
  await looked(
    service,
    times(300, (index) => ({ username: `flood ${index}`, headers: { 'x-forwarded-for': `203.0.113.${index % 250}` } })),
  );
  t.equal(await looked(service, [{}]), 0, 'still refused');
});

t.test('CVE-2024-4629: parallel tries that outrun the counter', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  const guesses = await Promise.all(times(20, () => guess(service, jar.clone(), code, 1)));
  t.equal(guesses.flat().filter((answer) => answer === WRONG).length, 5);
  t.equal(codeOf(await service.post('/otp', { otp: code }, jar)), 'otp_attempts_exhausted');
  const passwords = await Promise.all(times(20, () => looked(service, [{ username: BOB.username }])));
  t.equal(passwords.filter((count) => count > 0).length, 5);
});

t.test('CVE-2026-43930: a code that is accepted twice at the same moment', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  const answers = await Promise.all(times(5, () => service.post('/otp', { otp: code }, jar.clone())));
  t.strictSame(answers.map(({ statusCode }) => statusCode).toSorted(), [200, 409, 409, 409, 409]);
  t.equal(answers.filter(({ headers }) => String(headers['set-cookie']).includes('doorcode-session')).length, 1);
});

t.test('CVE-2026-9798: another route around the lock of an account', async (t) => {
  const service = await testApp({ env: { LIMIT_ACCOUNT_FAILURES: '4' } });
  const [one, other] = [await service.login(), await service.login()];
  await guess(service, one.jar, one.code, 4);
  const sent = service.messages.length;
  for (const { jar, code } of [one, other]) {
    t.equal(codeOf(await service.post('/otp', { otp: code }, jar.clone())), 'account_locked');
    const form = await service.postForm('/otp', { otp: code }, jar.clone());
    t.notMatch(String(form.headers['set-cookie']), /doorcode-session=[^;]/);
    for (const channel of ['sms', 'voice']) {
      t.equal(codeOf(await service.post('/otp/resend', { channel }, jar.clone())), 'account_locked');
    }
  }
  for (const username of ['alice', 'ALICE']) {
    const again = await service.post('/login', { username, password: PASSWORD, channel: 'voice' });
    t.equal(codeOf(again), 'invalid_credentials', username);
  }
  t.equal(service.messages.length, sent);
});

t.test('CVE-2025-64102: guesses that are unlimited by way of the API', async (t) => {
  const { ask, check } = await verificationApi();
  const first = await ask();
  const guesses = await Promise.all(times(10, () => check(first.id, wrongCode(first.code))));
  t.equal(guesses.filter((answer) => codeOf(answer) === WRONG).length, 5);
  t.equal(codeOf(await check(first.id, first.code)), 'otp_attempts_exhausted');
  const second = await ask();
  for (let step = 0; step < 5; step += 1) await check(second.id, wrongCode(second.code));
  const third = await ask();
  t.equal(codeOf(await check(third.id, third.code)), 'account_locked', 'new codes do not help');
});

t.test('CVE-2026-105211: the code returned to whoever asked for it', async (t) => {
  const service = await verificationApi();
  const { jar, response } = await service.login();
  const asked = await service.ask();
  const answers = [
    response,
    await service.post('/otp/resend', {}, jar),
    await service.postForm('/login', { username: 'alice', password: PASSWORD }, jar),
    await service.get('/otp', jar, BROWSER),
    asked.response,
    await service.call('/resend', { id: asked.id }),
  ];
  t.equal(service.messages.length, 5);
  for (const { statusCode, headers, body } of answers) {
    t.ok(statusCode < 400, String(statusCode));
    for (const { code, to } of service.messages) {
      t.notMatch(`${JSON.stringify(headers)} ${body}`, new RegExp(`(?<![\\w+/-])${code}(?![\\w+/-])`));
      t.notMatch(`${JSON.stringify(headers)} ${body}`, to.slice(1));
    }
  }
});

t.test('CVE-2025-55000: a used code that is another one with a blank behind it', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  const spellings = [
    `${code} `,
    ` ${code}`,
    `${code}\n`,
    `${code}\0`,
    `0${code}`,
    `${code.slice(0, 3)} ${code.slice(3)}`,
  ];
  const wide = code.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
  for (const used of [false, true]) {
    if (used) t.equal((await service.post('/otp', { otp: code }, jar.clone())).statusCode, 200);
    for (const otp of [...spellings, wide]) {
      t.equal(codeOf(await service.post('/otp', { otp }, jar.clone())), 'invalid_request', JSON.stringify(otp));
    }
  }
  t.equal(codeOf(await service.post('/otp', { otp: code }, jar.clone())), 'otp_used');
});

t.test('CVE-2024-8796: a seed too short to be a secret', async (t) => {
  const keys = deriveKeys([Buffer.alloc(32, 1)]);
  const service = await testApp({ ports: { keys, random: randomBytes } });
  const opener = await createCodec(Fastify(), keys);
  const secrets = new Set<string>();
  for (let index = 0; index < 5; index += 1) {
    const { jar } = await service.login();
    const sealed = decodeURIComponent(jar.cookies.get('doorcode-challenge') ?? '');
    const { secret } = opener.open('challenge', sealed) as { secret: string };
    // 160 bits, as RFC 4226 §4 recommends, and 20 bytes are 32 characters of base32.
    t.match(secret, /^[A-Z2-7]{32}$/);
    secrets.add(secret);
  }
  t.equal(secrets.size, 5, 'each login has its own');
});

t.test('CVE-2024-31999: a session that is destroyed, and lives on in its cookie', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  await service.post('/otp', { otp: code }, jar);
  const kept = jar.clone();
  t.equal((await service.get('/session', kept.clone())).statusCode, 200);
  t.equal((await service.post('/logout', {}, jar)).statusCode, 200);
  await assertNobody(service, t, kept);
  service.clock.advance(10);
  await assertNobody(service, t, kept);
});

t.test('GHSA-xg6x-h9c9-2m83: a session that is valid before the second factor', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  const moved = new CookieJar();
  moved.cookies.set('doorcode-session', jar.cookies.get('doorcode-challenge') ?? '');
  for (const cookies of [jar, moved]) await assertNobody(service, t, cookies);
  await guess(service, jar, code, 1);
  await assertNobody(service, t, jar);
  t.notOk(jar.cookies.has('doorcode-session'));
});

t.test('CVE-2020-15105: the password kept between the factors', async (t) => {
  const keys = deriveKeys([Buffer.alloc(32, 1)]);
  const service = await testApp({ ports: { keys } });
  const { jar, response } = await service.login();
  const codec = await createCodec(Fastify(), keys);
  const held = codec.open('challenge', decodeURIComponent(jar.cookies.get('doorcode-challenge') ?? ''));
  t.match(held, { typ: 'challenge', sub: 'alice' }, 'it was opened');
  for (const place of [
    JSON.stringify(held),
    response.body,
    service.logs.join('\n'),
    JSON.stringify(service.messages),
  ]) {
    t.notMatch(place, PASSWORD);
    t.notMatch(place, Buffer.from(PASSWORD).toString('base64'));
  }
});

t.test('CVE-2026-47203: letter case that splits the count', async (t) => {
  const service = await testApp();
  const names = ['alice', 'ALICE', 'Alice', 'aLiCe', '\uff41\uff4c\uff49\uff43\uff45', 'alice ', 'al\u00efce', 'ALICE'];
  t.equal(
    await looked(
      service,
      names.map((username) => ({ username })),
    ),
    5,
  );
  const cases = await testApp({ env: { LIMIT_ACCOUNT_FAILURES: '6' } });
  const jars = [];
  for (const username of ['alice', 'ALICE']) {
    const jar = new CookieJar();
    await cases.post('/login', { username, password: PASSWORD }, jar);
    jars.push({ jar, code: cases.messages.at(-1)?.code ?? '' });
  }
  const [one, other] = jars;
  if (one === undefined || other === undefined) return;
  await guess(cases, one.jar, one.code, 3);
  t.strictSame(await guess(cases, other.jar, other.code, 4), [WRONG, WRONG, WRONG, 'account_locked']);
});

t.test('CVE-2026-45364: addresses of one IPv6 network that count each for itself', async (t) => {
  const env = { TRUST_PROXY: 'loopback', LIMIT_PASSWORD_ADDRESS: '5/900' };
  const from = (address: (index: number) => string) =>
    times(9, (index) => ({ username: `user ${index}`, headers: { 'x-forwarded-for': address(index) } }));
  t.equal(
    await looked(
      await testApp({ env }),
      from((index) => `2001:db8::${index + 1}:1`),
    ),
    5,
    'one /64',
  );
  t.equal(
    await looked(
      await testApp({ env }),
      from((index) => `2001:db8:0:${index}::1`),
    ),
    9,
    'each its own /64',
  );
  const mapped = from((index) => (index % 2 === 0 ? '203.0.113.1' : '::ffff:203.0.113.1'));
  t.equal(await looked(await testApp({ env }), mapped), 5, 'IPv4 written as IPv6');
});

t.test('CVE-2025-64526: a limit that is counted by a field nobody uses', async (t) => {
  const service = await testApp();
  for (const [index, field] of ['email', 'identifier', 'ip', 'device'].entries()) {
    const body = { username: 'alice', password: PASSWORD, [field]: `${index}@example.com` };
    t.equal(codeOf(await service.post('/login', body)), 'invalid_request', field);
  }
  const channels = ['sms', 'voice', 'sms', 'voice', 'sms', 'voice', 'sms'];
  const statuses = [];
  for (const [index, channel] of channels.entries()) {
    const body = { username: 'alice', password: 'wrong', channel, next: `/${index}` };
    statuses.push((await service.post('/login', body)).statusCode);
  }
  t.strictSame(statuses, [401, 401, 401, 401, 401, 429, 429], 'what is used otherwise does not split the count');
});

t.test('CVE-2023-38507: a path in escapes that the limit does not know', async (t) => {
  const service = await testApp();
  t.equal(
    await looked(
      service,
      times(6, () => ({})),
    ),
    5,
  );
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => service.app.close());
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ username: 'alice', password: PASSWORD });
  for (const path of [
    '/%6cogin',
    '/%6C%6F%67%69%6E',
    '/LOGIN',
    '/login/',
    '//login',
    '/login;x',
    '/login?x',
    '/login%2f',
  ]) {
    const { status } = await fetch(url + path, { method: 'POST', headers, body });
    t.ok([404, 405, 429].includes(status), `${path} ${status}`);
  }
  t.equal(service.messages.length, 0);
});

t.test('CVE-2026-33640: a limiter that is off unless somebody turns it on', async (t) => {
  const service = await startService(t);
  const post = async (path: string, body: object, jar?: CookieJar) => (await service.post(path, body, jar)).status;
  const jar = new CookieJar();
  t.equal(await post('/login', { username: 'demo', password: 'demo' }, jar), 200);
  t.equal(await post('/login', { username: 'demo', password: 'demo' }), 429, 'messages');
  const code = /code (\d{6})/.exec(service.output())?.[1] ?? '';
  const codes = [];
  for (let step = 0; step < 6; step += 1) codes.push(await post('/otp', { otp: wrongCode(code) }, jar.clone()));
  t.strictSame(codes, [403, 403, 403, 403, 403, 429], 'codes');
  const passwords = [];
  for (let step = 0; step < 6; step += 1) passwords.push(await post('/login', { username: 'who', password: 'x' }));
  t.strictSame(passwords, [401, 401, 401, 401, 401, 429], 'passwords');
});

t.test('CVE-2024-47070: an X-Forwarded-For that cannot be read, and is no address to count by', async (t) => {
  const service = await testApp({ env: { TRUST_PROXY: 'loopback', LIMIT_PASSWORD_ADDRESS: '5/900' } });
  const headers = ['unknown', '', ',', 'a, b', '999.1.1.1', '[::', "' or 1=1", '_hidden', '\u00e4'];
  const requests = headers.map((value, index) => ({
    username: `user ${index}`,
    headers: { 'x-forwarded-for': value },
  }));
  t.equal(await looked(service, requests), 5, 'they count as one: the peer');
  const jar = new CookieJar();
  for (const value of headers) await assertNobody(service, t, jar, { 'x-forwarded-for': value });
});

t.test('CVE-2026-3635: a host that the client makes up', async (t) => {
  const origin = 'https://login.example.com';
  const host = new URL(origin).hostname;
  for (const TRUST_PROXY of ['', 'loopback']) {
    const service = await testApp({ env: { ORIGIN: origin, TRUST_PROXY } });
    const headers = {
      host: EVIL,
      'x-forwarded-host': EVIL,
      'x-forwarded-proto': 'http',
      'x-forwarded-uri': '/',
      'x-forwarded-for': '203.0.113.1',
    };
    const jar = new CookieJar();
    const answers = [
      await service.post('/login', { username: 'alice', password: PASSWORD }, jar, headers),
      await service.post('/otp/resend', {}, jar, headers),
      ...(await Promise.all(
        ['/login', '/otp', '/auth/redirect', '/auth', '/'].map((path) =>
          service.get(path, jar, { ...BROWSER, ...headers }),
        ),
      )),
    ];
    t.equal(service.messages.length, 2);
    for (const { text } of service.messages) t.match(text, new RegExp(`@${host} #\\d{6}$`));
    for (const { headers, body } of answers) t.notMatch(`${JSON.stringify(headers)} ${body}`, EVIL, TRUST_PROXY);
    const link = answers[4]?.headers['location'];
    t.equal(link, `${origin}/login?next=%2F`);
  }
});

t.test('CVE-2026-25223: a tab in Content-Type that leaves the body unchecked', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  for (const type of [
    'application/json\t',
    'application/json\ta',
    'application/json\t; charset=utf-8',
    '\tapplication/json',
    'application/json;\tx',
  ]) {
    for (const [url, payload] of [
      ['/otp', { otp: code, admin: true }],
      ['/otp', { otp: [code] }],
      ['/login', { username: 'alice', password: PASSWORD, role: 'admin' }],
    ] as const) {
      const { statusCode } = await service.app.inject({
        method: 'POST',
        url,
        headers: { 'content-type': type, cookie: jar.header },
        payload: JSON.stringify(payload),
      });
      t.ok([400, 415].includes(statusCode), `${JSON.stringify(type)} ${url} ${statusCode}`);
    }
  }
  t.equal(service.messages.length, 1);
});

t.test('CVE-2023-7028: a list where one value is expected, so that another person gets the code, too', async (t) => {
  const service = await verificationApi();
  const { jar, code } = await service.login();
  const sent = service.messages.length;
  const bodies: [string, object][] = [
    ['/login', { username: ['alice', 'bob'], password: PASSWORD }],
    ['/login', { username: 'alice', password: [PASSWORD] }],
    ['/login', { username: 'alice', password: PASSWORD, channel: ['sms'] }],
    ['/login', { username: 'alice', password: PASSWORD, next: ['/'] }],
    ['/otp', { otp: [code] }],
    ['/otp', { otp: [code, wrongCode(code)] }],
    ['/otp/resend', { channel: ['sms', 'voice'] }],
  ];
  for (const [path, body] of bodies) {
    t.equal(codeOf(await service.post(path, body, jar.clone())), 'invalid_request', JSON.stringify(body).slice(0, 40));
  }
  for (const to of [[NUMBER, '+15550100199'], [NUMBER], `${NUMBER},+15550100199`]) {
    t.equal(codeOf(await service.call('', { to })), 'invalid_request');
  }
  const form = `otp=${code}&otp=${code}`;
  const headers = { 'content-type': 'application/x-www-form-urlencoded', cookie: jar.header };
  const twice = await service.app.inject({ method: 'POST', url: '/otp', headers, payload: form });
  t.equal(codeOf(twice), 'invalid_request');
  t.equal(service.messages.length, sent);
});

t.test('CVE-2021-32637: a null byte in X-Original-URL, which lets everybody through', async (t) => {
  const service = await testApp({ env: { TRUST_PROXY: 'loopback' } });
  const jar = new CookieJar();
  for (const url of ['/\0', '/%00', 'https://app.example.com/\0', '%', '//', '', '/\r\nx: y', '\ud800']) {
    for (const name of ['x-original-url', 'x-forwarded-uri', 'x-rewrite-url']) {
      const headers = { [name]: url, 'x-forwarded-for': '203.0.113.1', 'x-forwarded-host': 'app.example.com' };
      await assertNobody(service, t, jar, headers);
      const browser = await service.get('/auth/redirect', jar, { ...BROWSER, ...headers });
      t.equal(browser.statusCode, 303);
      t.match(String(browser.headers['location']), /^http:\/\/127\.0\.0\.1:\d+\/login\?next=/);
    }
  }
});

t.test('CVE-2026-30851: an identity header that is missing from the answer, and kept from the client', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  await service.post('/otp', { otp: code }, jar);
  const forged = { 'remote-user': 'admin', 'remote-amr': 'pwd', 'x-doorcode-assertion': 'x' };
  for (const path of ['/auth', '/auth/redirect']) {
    const answers = {
      'signed in, nothing signed': await service.get(path, jar, forged),
      nobody: await service.get(path, new CookieJar(), forged),
      'a browser': await service.get(path, new CookieJar(), { ...BROWSER, ...forged }),
    };
    for (const [who, { headers }] of Object.entries(answers)) {
      for (const name of Object.keys(forged)) t.type(headers[name], 'string', `${path}, ${who}: ${name} is there`);
      t.equal(headers['x-doorcode-assertion'], '', `${path}, ${who}`);
      t.equal(headers['remote-user'], who.startsWith('signed in') ? 'alice' : '', `${path}, ${who}`);
    }
  }
});

t.test('CVE-2025-64484: underscores by which a header has two names', async (t) => {
  const service = await testApp();
  const headers = { remote_user: 'admin', Remote_User: 'admin', remote_amr: 'pwd', x_doorcode_assertion: 'x' };
  await assertNobody(service, t, new CookieJar(), headers);
  const { jar, code } = await service.login();
  await service.post('/otp', { otp: code }, jar);
  t.equal((await service.get('/auth', jar, headers)).headers['remote-user'], 'alice');
  // That the gateways take them away is tried with the programs in deploy/gateways.test.ts; here, that the rule is there.
  t.match(deploy('nginx.conf'), /^\s*underscores_in_headers off;/m);
  t.match(deploy('haproxy.cfg'), /^\s*http-request lua\.remove_headers$/m);
  t.match(deploy('Caddyfile'), /^\s*request_header -\*\*$/m);
  t.match(deploy('traefik.yaml'), /^\s*Remote_User: ""$/m);
});

t.test('CVE-2024-45410: a Connection header that takes away what the gateway added', async (t) => {
  const env = { TRUST_PROXY: 'loopback', LIMIT_PASSWORD_ADDRESS: '5/900' };
  const requests = times(9, (index) => ({
    username: `user ${index}`,
    headers: { 'x-forwarded-for': '203.0.113.7', connection: 'X-Forwarded-For, Remote-User, Cookie' },
  }));
  const service = await testApp({ env });
  t.equal(await looked(service, requests), 5);
  t.equal(
    await looked(service, [{ username: 'user 10' }]),
    1,
    'it was counted by what the gateway says, not by the gateway',
  );
  await assertNobody(service, t, new CookieJar(), { connection: 'Remote-User', 'remote-user': 'admin' });
  t.match(deploy('nginx.conf'), /proxy_set_header Connection "";/);
  t.match(deploy('haproxy.cfg'), /^\s*http-request lua\.remove_headers$/m);
  t.match(deploy('Caddyfile'), /^\s*request_header -\*\*$/m);
});

t.test('CVE-2021-29456: a redirect to wherever the link says', async (t) => {
  const targets = [
    `https://${EVIL}/`,
    `//${EVIL}`,
    `/\\${EVIL}`,
    `\\\\${EVIL}`,
    `/\t/${EVIL}`,
    `/.//${EVIL}`,
    `https:${EVIL}`,
    `https://app.example.com@${EVIL}`,
    `https://app.example.com.${EVIL}`,
    'javascript:alert(1)',
    'http://app.example.com/',
  ];
  const service = await testApp({ env: { ALLOWED_RETURN_ORIGINS: 'https://app.example.com' } });
  const end = async (next: string, jar: CookieJar) => {
    await service.post('/login', { username: 'alice', password: PASSWORD, next }, jar);
    return (await service.post('/otp', { otp: service.messages.at(-1)?.code }, jar)).json().next;
  };
  const jar = new CookieJar();
  t.equal(await end('https://app.example.com/inbox', jar), 'https://app.example.com/inbox', 'where it may lead');
  for (const next of targets) {
    t.equal(await end(next, new CookieJar()), '/', next);
    const page = await service.get(`/login?rd=${encodeURIComponent(next)}`, jar, BROWSER);
    t.equal(page.headers['location'], '/', next);
  }
});

t.test('CVE-2024-45042: one factor that is taken for two', async (t) => {
  const service = await verificationApi();
  // The password alone.
  const { jar, code } = await service.login();
  await assertNobody(service, t, jar);
  // A code alone: of the API, to the very phone, whose answer is no login and no session.
  const { id, code: other } = await service.ask({ to: ALICE.phone });
  t.equal(codeOf(await service.post('/otp', { otp: other })), 'challenge_missing');
  t.equal(codeOf(await service.post('/otp', { otp: other }, jar.clone())), WRONG);
  const approved = await service.check(id, other);
  t.equal(approved.statusCode, 200);
  t.equal(approved.headers['set-cookie'], undefined);
  const asCookies = new CookieJar();
  for (const name of ['doorcode-session', 'doorcode-challenge']) asCookies.cookies.set(name, encodeURIComponent(id));
  await assertNobody(service, t, asCookies);
  t.equal(codeOf(await service.post('/otp', { otp: other }, asCookies)), 'challenge_missing');
  // Both, of one person.
  t.equal((await service.post('/otp', { otp: code }, jar)).statusCode, 200);
  t.strictSame((await service.get('/session', jar)).json().amr, ['pwd', 'otp', 'sms']);
});
