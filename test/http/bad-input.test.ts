import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import type { Limits } from '../../src/limits/limits.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import type { Directory } from '../../src/users/directory.ts';
import { ALICE, BROWSER, CookieJar, PASSWORD, type TestApp, testApp, wrongCode } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

/** What is sent, and the status that it must get; the code is `invalid_request` for all of them. */
interface Bad {
  readonly type?: string;
  readonly payload?: string;
  readonly status: number;
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const PROBLEM_JSON = /^application\/problem\+json\b/;

const json = (payload: unknown, status = 400): Bad => ({ type: JSON_TYPE, payload: JSON.stringify(payload), status });
const text = (payload: string, type = JSON_TYPE, status = 400): Bad => ({ type, payload, status });
const form = (payload: string, status = 400): Bad => text(payload, FORM_TYPE, status);

/** Bodies that are wrong for every route that takes one, whatever `good` would be right for it. */
const wrongBodies = (good: string, goodForm: string): Record<string, Bad> => ({
  'a JSON array': text(`[${good}]`),
  'a JSON string': text(JSON.stringify(good)),
  'a JSON number': text('482915'),
  'a JSON boolean': text('true'),
  'no JSON at all': text('zebra'),
  'truncated JSON': text(good.slice(0, -1)),
  'JSON with something behind it': text(`${good}zebra`),
  'JSON with a comma too many': text(good.replace(/}$/, ',}')),
  'two documents': text(`${good}\n${good}`),
  '__proto__ in JSON': text(good.replace(/}$/, ',"__proto__":{"zebra":1}}')),
  '__proto__ in JSON, escaped': text(good.replace(/}$/, ',"\\u005f_proto__":{"zebra":1}}')),
  'constructor in JSON': text(good.replace(/}$/, ',"constructor":{"prototype":{"zebra":1}}}')),
  'an unknown property': text(good.replace(/}$/, ',"zebra":"zebra"}')),
  'an unknown property with an empty name': text(good.replace(/}$/, ',"":"zebra"}')),
  '__proto__ in a form': form(`${goodForm}&__proto__=zebra`),
  '__proto__ in a form, as an object': form(`${goodForm}&__proto__[zebra]=zebra`),
  'an unknown field in a form': form(`${goodForm}&zebra=zebra`),
  'a form that claims to be JSON': text(goodForm),
  'JSON that claims to be a form': form(good),
  'JSON as plain text': text(good, 'text/plain', 415),
  'JSON as XML': text(good, 'application/xml', 415),
  'a multipart form': text(
    `--zebra\r\nContent-Disposition: form-data; name="zebra"\r\n\r\nzebra\r\n--zebra--\r\n`,
    'multipart/form-data; boundary=zebra',
    415,
  ),
  'a media type that begins like JSON': text(good, 'application/jsonx', 415),
  'a media type with a tab behind JSON': text(good, 'application/json\tx', 415),
  'a media type that ends in JSON': text(good, 'application/merge-patch+json', 415),
  'a media type in another header’s words': text(good, 'text/plain, application/json', 415),
  'an empty media type': text(good, '', 415),
  'a body without a media type': { payload: good, status: 415 },
  'a JSON body of 17 KiB': text(good.replace(/}$/, `,"zebra":"${'zebra'.repeat(3500)}"}`), JSON_TYPE, 413),
  'a form of 17 KiB': form(`${goodForm}&zebra=${'zebra'.repeat(3500)}`, 413),
  '17 KiB of another type': text('zebra'.repeat(3500), 'text/plain', 415),
});

const otpBodies: Record<string, Bad> = {
  'no body': { status: 400 },
  'an empty body': text(''),
  'an empty form': form(''),
  'JSON null': text('null'),
  'an empty object': json({}),
  'a number': json({ otp: 482915 }),
  'an array': json({ otp: ['482915'] }),
  null: json({ otp: null }),
  'an object': json({ otp: { $ne: '482915' } }),
  'a boolean': json({ otp: true }),
  'no digits': json({ otp: '' }),
  'five digits': json({ otp: '48291' }),
  'seven digits': json({ otp: '4829150' }),
  'as many digits as a body may have': json({ otp: '4'.repeat(1014) }),
  'more digits than a body may have': json({ otp: '4'.repeat(1015) }, 413),
  'more fields than a form may have': form(`otp=482915${'&otp=482915'.repeat(64)}`),
  letters: json({ otp: 'zebras' }),
  'hexadecimal digits': json({ otp: '0x4829' }),
  'an exponent': json({ otp: '4829e1' }),
  'a sign': json({ otp: '+48291' }),
  'a decimal point': json({ otp: '4829.5' }),
  'a newline behind it': json({ otp: '482915\n' }),
  'a newline before it': json({ otp: '\n482915' }),
  'a line for each': json({ otp: '482915\n482916' }),
  'a blank before it': json({ otp: ' 482915' }),
  'a blank behind it': json({ otp: '482915 ' }),
  'a blank in it': json({ otp: '482 915' }),
  'a null byte behind it': json({ otp: '482915\u0000' }),
  'Arabic-Indic digits': json({ otp: '٤٨٢٩١٥' }),
  'full-width digits': json({ otp: '４８２９１５' }),
  'mathematical digits': json({ otp: '𝟺𝟾𝟸𝟿𝟷𝟻' }),
  'six characters of two halves': json({ otp: '😀😀😀' }),
  'another name': json({ code: '482915' }),
  'another case of the name': json({ OTP: '482915' }),
  'a member twice': text('{"otp":"482915","otp":"482916"}'),
  'a member twice, once escaped': text('{"otp":"482915","\\u006ftp":"482916"}'),
  'a list in a form': form('otp=482915&otp=482916'),
  'brackets in a form': form('otp[]=482915'),
  'an index in a form': form('otp[0]=482915'),
  'an empty code in a form': form('otp='),
  'a name alone in a form': form('otp'),
  'a blank in a form': form('otp=+482915'),
  'a newline in a form': form('otp=482915%0A'),
  'a broken escape in a form': form('otp=%4'),
  'full-width digits in a form': form(`otp=${encodeURIComponent('４８２９１５')}`),
  ...wrongBodies('{"otp":"482915"}', 'otp=482915'),
};

const credentials = { username: 'zebra-user', password: 'zebra-password' };

const loginBodies: Record<string, Bad> = {
  'no body': { status: 400 },
  'an empty body': text(''),
  'an empty form': form(''),
  'JSON null': text('null'),
  'an empty object': json({}),
  'no username': json({ password: 'zebra-password' }),
  'no password': json({ username: 'zebra-user' }),
  'a username that is a number': json({ ...credentials, username: 482915 }),
  'a username that is an array': json({ ...credentials, username: ['zebra-user'] }),
  'a username that is an object': json({ ...credentials, username: { $gt: 'zebra-user' } }),
  'a username that is null': json({ ...credentials, username: null }),
  'a username that is true': json({ ...credentials, username: true }),
  'an empty username': json({ ...credentials, username: '' }),
  'a username of 257 characters': json({ ...credentials, username: 'zebra'.repeat(60).slice(0, 257) }),
  'a password that is a number': json({ ...credentials, password: 482915 }),
  'a password that is an array': json({ ...credentials, password: ['zebra-password'] }),
  'a password that is an object': json({ ...credentials, password: { $ne: 'zebra-password' } }),
  'a password that is null': json({ ...credentials, password: null }),
  'a password that is false': json({ ...credentials, password: false }),
  'an empty password': json({ ...credentials, password: '' }),
  'a password of 1,025 characters': json({ ...credentials, password: 'zebra'.repeat(300).slice(0, 1025) }),
  'a password of a megabyte': json({ ...credentials, password: 'zebra'.repeat(210_000) }, 413),
  'a password of a megabyte in a form': form(`username=zebra-user&password=${'zebra'.repeat(210_000)}`, 413),
  'a channel that there is not': json({ ...credentials, channel: 'zebra-pigeon' }),
  'a channel in capitals': json({ ...credentials, channel: 'SMS' }),
  'an empty channel': json({ ...credentials, channel: '' }),
  'a channel that is an array': json({ ...credentials, channel: ['sms'] }),
  'a channel that is null': json({ ...credentials, channel: null }),
  'next that is an array': json({ ...credentials, next: ['/zebra'] }),
  'next that is an object': json({ ...credentials, next: { href: '/zebra' } }),
  'next that is null': json({ ...credentials, next: null }),
  'next of 8,193 characters': json({ ...credentials, next: `/${'zebra'.repeat(1639)}`.slice(0, 8193) }),
  'a member twice': text('{"username":"zebra-user","password":"zebra-a","password":"zebra-b"}'),
  'a member twice, once escaped': text('{"username":"zebra-user","password":"zebra-a","passwor\\u0064":"zebra-b"}'),
  'two usernames in a form': form('username=zebra-user&username=zebra-b&password=zebra-password'),
  'two passwords in a form': form('username=zebra-user&password=zebra-a&password=zebra-b'),
  'brackets in a form': form('username[]=zebra-user&password=zebra-password'),
  'two targets in a form': form('username=zebra-user&password=zebra-password&next=/zebra&next=/zebra-b'),
  'half a surrogate pair as a channel': text('{"username":"zebra-user","password":"zebra-a","channel":"\\ud83d"}'),
  ...wrongBodies(JSON.stringify(credentials), 'username=zebra-user&password=zebra-password'),
};

const resendBodies: Record<string, Bad> = {
  'a channel that there is not': json({ channel: 'zebra-pigeon' }),
  'a channel that is an array': json({ channel: ['sms'] }),
  'a channel that is null': json({ channel: null }),
  'a number': json({ channel: 482915 }),
  'another’s phone number': json({ phone: '+15550100102' }),
  'a user': json({ username: 'zebra-user' }),
  'two channels in a form': form('channel=sms&channel=voice'),
  'an empty channel in a form': form('channel='),
  ...wrongBodies('{"channel":"voice"}', 'channel=voice'),
};

const logoutBodies = wrongBodies('{"zebra":1}', 'zebra=1');

async function send({ app }: TestApp, url: string, { type, payload }: Bad, jar: CookieJar, accept?: string) {
  const request: InjectOptions = {
    method: 'POST',
    url,
    headers: {
      ...(jar.header === '' ? {} : { cookie: jar.header }),
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(accept === undefined ? {} : { accept }),
    },
    ...(payload === undefined ? {} : { payload }),
  };
  return app.inject(request);
}

/** What of a body would be recognised in the answer, were it there: all words and numbers but the names of members. */
function words(payload = ''): string[] {
  const names =
    /^(?:otp|username|password|channel|next|code|form-data|name|Content-Disposition|true|null|constructor)$/;
  return (payload.match(/[\p{L}\p{Nd}_-]{3,}/gu) ?? []).filter((word) => !names.test(word));
}

t.test('what is sent is refused by name, and none of it is told back', async (t) => {
  const tables = {
    '/otp': otpBodies,
    '/login': loginBodies,
    '/otp/resend': resendBodies,
    '/logout': logoutBodies,
  };
  for (const [url, table] of Object.entries(tables)) {
    const service = await testApp();
    const { jar } = await service.login();
    for (const [name, bad] of Object.entries(table)) {
      const label = `${url}: ${name}`;
      const response = await send(service, url, bad, jar);
      t.equal(response.statusCode, bad.status, label);
      t.match(response.headers['content-type'], PROBLEM_JSON, label);
      t.match(response.json(), { status: bad.status, code: 'invalid_request' }, label);
      t.notOk('set-cookie' in response.headers, `${label}: no cookie is touched`);
      const told = words(bad.payload).filter((word) => response.body.includes(word));
      t.strictSame(told, [], `${label}: nothing is echoed`);
    }
    t.equal(service.messages.length, 1, `${url}: nothing was sent`);
    const logs = service.logs.map((line) => JSON.parse(line));
    t.strictSame(
      logs.filter(({ level }) => level >= 40),
      [],
      `${url}: nobody is alarmed`,
    );
    t.notMatch(service.logs.join(''), /zebra|482915/, `${url}: nothing is logged of it`);
  }
});

t.test('none of it costs a guess, or closes anything', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  for (const bad of Object.values(otpBodies)) await send(service, '/otp', bad, jar);
  for (const bad of Object.values(otpBodies)) await send(service, '/otp', bad, jar, BROWSER.accept);
  for (const bad of Object.values(resendBodies)) await send(service, '/otp/resend', bad, jar);
  for (const bad of Object.values(loginBodies)) await send(service, '/login', bad, jar);
  for (const bad of Object.values(logoutBodies)) await send(service, '/logout', bad, jar);

  const wrong = await service.post('/otp', { otp: wrongCode(code) }, jar);
  t.match(wrong, { statusCode: 403 });
  t.match(wrong.json(), { code: 'otp_invalid', attemptsLeft: 4 });
  t.match(await service.post('/otp', { otp: code }, jar), { statusCode: 200 });
});

t.test('none of it reaches the user directory', async (t) => {
  const asked: string[] = [];
  const directory: Directory = {
    async authenticate(username) {
      asked.push(username);
      return ALICE;
    },
  };
  const service = await testApp({ ports: { directory } });
  for (const bad of Object.values(loginBodies)) await send(service, '/login', bad, new CookieJar());
  t.strictSame(asked, []);
  t.equal(service.messages.length, 0);
  await service.post('/login', { username: 'alice', password: PASSWORD });
  t.strictSame(asked, ['alice']);
});

t.test('a browser gets the page that it came from, with the same status', async (t) => {
  const service = await testApp();
  const { jar } = await service.login();
  for (const [name, bad] of Object.entries(otpBodies)) {
    const response = await send(service, '/otp', bad, jar, BROWSER.accept);
    t.match(response, { statusCode: bad.status, headers: { 'content-type': /^text\/html/ } }, name);
    // A body that was not read gets a page without the form: no cookie is opened for it.
    if (bad.status === 400) t.match(response.body, /action="\/otp"[\s\S]*name="otp"/, name);
    t.match(response.body, 'Please check what you entered.', name);
    t.notOk(
      words(bad.payload).some((word) => word.length > 5 && response.body.includes(word)),
      `${name}: no echo`,
    );
  }
  for (const [name, bad] of Object.entries(loginBodies)) {
    const response = await send(service, '/login', bad, new CookieJar(), BROWSER.accept);
    t.match(response, { statusCode: bad.status, headers: { 'content-type': /^text\/html/ } }, name);
    if (bad.status === 400) t.match(response.body, /action="\/login"[\s\S]*name="password"/, name);
    t.notMatch(response.body, /zebra-(?:password|pigeon|a\b|b\b)/, `${name}: no password is echoed`);
  }
});

t.test('the longest that is right goes through', async (t) => {
  const { post, messages } = await testApp();
  const longest = {
    username: 'u'.repeat(256),
    password: '😀'.repeat(1024),
    channel: 'voice',
    next: `/${'n'.repeat(1023)}`,
  };
  const unknown = await post('/login', longest);
  t.match(unknown.json(), { status: 401, code: 'invalid_credentials' });
  const full = await post('/login', { username: 'alice', password: PASSWORD, channel: 'voice', next: longest.next });
  t.equal(full.statusCode, 200);
  t.equal(messages.length, 1);
});

t.test('a body may fill the 16 KiB, and not a byte more', async (t) => {
  const service = await testApp();
  const blanks = (bytes: number) => text(`{"username":"zebra-user","password":"x"}`.padEnd(bytes, ' '));
  const full = await send(service, '/login', blanks(16 * 1024), new CookieJar());
  t.match(full.json(), { status: 401, code: 'invalid_credentials' });
  const over = await send(service, '/login', blanks(16 * 1024 + 1), new CookieJar());
  t.match(over.json(), { status: 413, code: 'invalid_request' });
});

t.test(
  'a route takes no more than it needs, and refuses the rest before it opens a cookie or reads a limit',
  async (t) => {
    let calls = 0;
    const counted = createMemoryLimits({ clock: fakeClock() });
    const limits = new Proxy(counted, {
      get: (target, name: keyof Limits) => {
        calls += 1;
        return target[name];
      },
    });
    const service = await testApp({ ports: { limits } });
    const { jar } = await service.login();
    calls = 0;
    const oversized: [url: string, bytes: number][] = [
      ['/otp', 1025],
      ['/otp/resend', 1025],
      ['/logout', 1025],
      ['/login', 16 * 1024 + 1],
    ];
    for (const [url, bytes] of oversized) {
      for (const body of [text('{}'.padEnd(bytes, ' ')), form('otp=482915&'.padEnd(bytes, 'x'))]) {
        for (const accept of [undefined, BROWSER.accept]) {
          const response = await send(service, url, { ...body, status: 413 }, jar, accept);
          t.equal(response.statusCode, 413, `${url} ${body.type} ${accept}`);
          t.notOk('set-cookie' in response.headers);
          if (accept === undefined) t.match(response.json(), { status: 413, code: 'invalid_request' });
        }
      }
    }
    t.equal(calls, 0);
  },
);

t.test('JSON and forms are read in every way that they are written', async (t) => {
  const good: [string, string][] = [
    [JSON_TYPE, '{"otp":"CODE"}'],
    ['application/json; charset=utf-8', '{"otp":"CODE"}'],
    ['Application/JSON;charset="UTF-8"', ' {\n"otp" : "CODE"}\n'],
    [JSON_TYPE, '{"\\u006ftp":"CODE"}'],
    [FORM_TYPE, 'otp=CODE'],
    [`${FORM_TYPE}; charset=UTF-8`, 'otp=CODE&'],
  ];
  for (const [type, payload] of good) {
    const service = await testApp();
    const { jar, code } = await service.login();
    const response = await send(service, '/otp', text(payload.replace('CODE', code), type), jar);
    t.match(response.json(), { status: 'authenticated' }, `${type}: ${payload}`);
  }
});

t.test('a cookie that is not ours is no cookie', async (t) => {
  const service = await testApp();
  const { jar, code } = await service.login();
  const sealed = jar.cookies.get('doorcode-challenge') ?? '';
  const cookies: Record<string, string> = {
    none: '',
    empty: 'doorcode-challenge=',
    'without a value': 'doorcode-challenge',
    rubbish: 'doorcode-challenge=zebra',
    'five kilobytes': `doorcode-challenge=${'z'.repeat(5000)}`,
    'five kilobytes in the shape of ours': `doorcode-challenge=${'A'.repeat(5000)}%3B${'A'.repeat(32)}`,
    'ours and five kilobytes more': `doorcode-challenge=${sealed}${'A'.repeat(5000)}`,
    'cut short': `doorcode-challenge=${sealed.slice(0, -1)}`,
    'a broken escape': 'doorcode-challenge=%zz',
    'an escaped null byte': `doorcode-challenge=${sealed}%00`,
    quoted: 'doorcode-challenge="{}"',
    'JSON in it': `doorcode-challenge=${encodeURIComponent('{"typ":"challenge"}')}`,
    'under another name': `doorcode-session=${sealed}`,
    'under the name of another scheme': `__Host-doorcode-challenge=${sealed}`,
    __proto__: `__proto__=${sealed}; constructor=zebra`,
    'separators alone': ';;; ; =; =zebra',
  };
  for (const [name, cookie] of Object.entries(cookies)) {
    const headers = cookie === '' ? {} : { cookie };
    for (const [url, expected] of [
      ['/otp', { status: 401, code: 'challenge_missing' }],
      ['/otp/resend', { status: 401, code: 'challenge_missing' }],
    ] as const) {
      const payload = url === '/otp' ? { otp: code } : {};
      const response = await service.app.inject({ method: 'POST', url, headers, payload });
      t.equal(response.statusCode, 401, `${url}: ${name}`);
      t.match(response.headers['content-type'], PROBLEM_JSON, `${url}: ${name}`);
      t.match(response.json(), expected, `${url}: ${name}`);
    }
    const session = await service.app.inject({ url: '/session', headers });
    t.match(session.json(), { status: 401, code: 'not_authenticated' }, name);
    t.match(
      await service.app.inject({ url: '/', headers }),
      { statusCode: 303, headers: { location: '/login' } },
      name,
    );
    t.match(await service.app.inject({ url: '/otp', headers }), { statusCode: 303 }, name);
    t.equal((await service.app.inject({ method: 'POST', url: '/logout', headers })).statusCode, 200, name);
  }
  t.equal(service.messages.length, 1);
  t.equal((await service.post('/otp', { otp: code }, jar)).statusCode, 200, 'the real one is as good as before');
});

t.test('over a real connection, headers that are too large are refused as well', async (t) => {
  const { app } = await testApp();
  t.teardown(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const post = async (cookie: string) => {
    const sent = request(`${url}/otp`, { method: 'POST', headers: { cookie, 'content-type': JSON_TYPE } });
    sent.end('{"otp":"482915"}');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += chunk;
    t.match(response.headers['content-type'], PROBLEM_JSON);
    return JSON.parse(body);
  };
  t.match(await post(`doorcode-challenge=${'z'.repeat(5 * 1024)}`), { status: 401, code: 'challenge_missing' });
  t.match(await post(`doorcode-challenge=${'z'.repeat(17 * 1024)}`), { status: 431, code: 'invalid_request' });
});

t.test('a tab in Content-Type leaves no body unchecked', async (t) => {
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
      const { statusCode } = await send(service, url, { ...json(payload), type }, jar);
      t.ok([400, 415].includes(statusCode), `${JSON.stringify(type)} ${url} ${statusCode}`);
    }
  }
  t.equal(service.messages.length, 1);
});
