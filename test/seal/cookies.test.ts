import Fastify, { type FastifyRequest } from 'fastify';
import t, { type Test } from 'tap';
import { createCodec } from '../../src/seal/codec.ts';
import { registerCookies } from '../../src/seal/cookies.ts';
import type { SealKeys } from '../../src/seal/keys.ts';
import { CookieJar, testApp } from '../support/build-app.ts';

const CHALLENGE = 'doorcode-challenge';
const SESSION = 'doorcode-session';

function jarWith(cookies: Record<string, string>): CookieJar {
  const jar = new CookieJar();
  for (const [name, value] of Object.entries(cookies)) jar.cookies.set(name, value);
  return jar;
}

/** An app whose keys a test knows, with a codec to seal what it likes. */
async function appWithKeys(keys: SealKeys) {
  const [app, codec] = await Promise.all([testApp({ ports: { keys } }), createCodec(Fastify(), keys)]);
  const seal = (purpose: 'challenge' | 'session', payload: object) => encodeURIComponent(codec.seal(purpose, payload));
  /** Asserts that a pair of cookies is as good as none, everywhere. */
  const refused = async (t: Test, cookies: Record<string, string>, what: string) => {
    const jar = () => jarWith(cookies);
    const answers = await Promise.all([
      app.get('/session', jar()),
      app.post('/otp', { otp: '123456' }, jar()),
      app.post('/otp/resend', {}, jar()),
      app.get('/', jar()),
      app.get('/otp', jar()),
    ]);
    t.strictSame(
      answers.map(({ statusCode, body, headers }) => [statusCode, headers.location ?? JSON.parse(body).code]),
      [
        [401, 'not_authenticated'],
        [401, 'challenge_missing'],
        [401, 'challenge_missing'],
        [303, '/login'],
        [303, '/login'],
      ],
      what,
    );
    t.equal((await app.get('/login', jar())).statusCode, 200, `${what}: login page`);
    t.equal((await app.post('/logout', {}, jar())).statusCode, 200, `${what}: logout`);
  };
  return { ...app, seal, refused };
}

const key = (byte: number) => [Buffer.alloc(32, byte)];
const separate: SealKeys = {
  challenge: key(1),
  session: key(2),
  verification: key(3),
  call: key(10),
  notice: key(11),
};
const shared: SealKeys = {
  challenge: key(1),
  session: key(1),
  verification: key(1),
  call: key(1),
  notice: key(1),
};

for (const [name, keys] of Object.entries({
  'with a key for each purpose': separate,
  'with one key for all': shared,
})) {
  t.test(`${name}: a cookie is good for its own purpose only`, async (t) => {
    const { login, post, refused } = await appWithKeys(keys);
    const { jar, code } = await login();
    const challenge = jar.cookies.get(CHALLENGE) ?? '';
    await post('/otp', { otp: code }, jar);
    const session = jar.cookies.get(SESSION) ?? '';
    t.ok(challenge && session);
    await refused(t, { [SESSION]: challenge }, 'a challenge under the name of the session');
    await refused(t, { [CHALLENGE]: session }, 'a session under the name of the challenge');
    await refused(t, { [SESSION]: challenge, [CHALLENGE]: session }, 'both exchanged');
  });

  t.test(`${name}: what was meddled with is no cookie`, async (t) => {
    const { login, post, refused, get } = await appWithKeys(keys);
    const { jar, code } = await login();
    const challenge = decodeURIComponent(jar.cookies.get(CHALLENGE) ?? '');
    await post('/otp', { otp: code }, jar);
    const session = decodeURIComponent(jar.cookies.get(SESSION) ?? '');
    t.equal((await get('/session', jarWith({ [SESSION]: encodeURIComponent(session) }))).statusCode, 200);

    const flip = (sealed: string, index: number) =>
      sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
    const meddled: [what: string, change: (sealed: string) => string][] = [
      ['a flipped bit', (sealed) => flip(sealed, 10)],
      ['a flipped bit in the nonce', (sealed) => flip(sealed, sealed.length - 1)],
      ['cut', (sealed) => sealed.slice(0, -5)],
      ['cut to its half', (sealed) => sealed.slice(0, sealed.length / 2)],
      ['without a nonce', (sealed) => sealed.split(';')[0] ?? ''],
      ['empty', () => ''],
      ['five kilobytes', () => 'A'.repeat(5000)],
      ['a broken escape', () => '%E0%A4%A'],
      ['JSON', () => '{"typ":"session"}'],
    ];
    for (const [what, change] of meddled) {
      await refused(
        t,
        { [CHALLENGE]: encodeURIComponent(change(challenge)), [SESSION]: encodeURIComponent(change(session)) },
        what,
      );
    }
  });

  t.test(`${name}: sealed by us, but not of our form, is no cookie`, async (t) => {
    const { refused, seal } = await appWithKeys(keys);
    const iat = 1_893_456_000;
    const challenge = {
      typ: 'challenge',
      id: 'x'.repeat(22),
      sub: 'alice',
      phone: '+15550100101',
      locale: 'en',
      channel: 'sms',
      secret: 'A'.repeat(32),
      iat,
      exp: iat + 60,
      loginAt: iat,
      next: '/',
    };
    const session = { typ: 'session', id: 'x'.repeat(22), sub: 'alice', amr: ['pwd'], iat, exp: iat + 60 };
    for (const wrong of [null, 1, true, [], {}, ['x']]) {
      const spoil = (payload: object) => Object.fromEntries(Object.keys(payload).map((field) => [field, wrong]));
      await refused(
        t,
        { [CHALLENGE]: seal('challenge', spoil(challenge)), [SESSION]: seal('session', spoil(session)) },
        `every field ${JSON.stringify(wrong)}`,
      );
    }
    await refused(t, { [CHALLENGE]: seal('challenge', {}), [SESSION]: seal('session', {}) }, 'nothing in it');
  });
}

t.test('a cookie sealed under another key is no cookie', async (t) => {
  const other = await appWithKeys({
    ...separate,
    challenge: key(7),
    session: key(8),
    verification: key(9),
  });
  const { jar, code } = await other.login();
  const challenge = jar.cookies.get(CHALLENGE) ?? '';
  await other.post('/otp', { otp: code }, jar);
  const { refused } = await appWithKeys(separate);
  await refused(t, { [CHALLENGE]: challenge, [SESSION]: jar.cookies.get(SESSION) ?? '' }, 'another key');
});

t.test('a restart with the same keys, or with a new key in front, loses no login and no session', async (t) => {
  const before = await testApp({ ports: { keys: separate } });
  const { jar, code } = await before.login();
  const rotated: SealKeys = {
    challenge: [...key(4), ...separate.challenge],
    session: [...key(5), ...separate.session],
    verification: [...key(6), ...separate.verification],
    call: separate.call,
    notice: separate.notice,
  };
  const after = await testApp({ ports: { keys: rotated } });
  t.equal((await after.post('/otp', { otp: code }, jar)).statusCode, 200);
  t.equal((await after.get('/session', jar)).json().user, 'alice');
});

t.test('a cookie of the same name that somebody else planted does not hide ours', async (t) => {
  const { app, login, post } = await testApp({ ports: { keys: separate } });
  const { jar, code } = await login();
  const challenge = jar.cookies.get(CHALLENGE) ?? '';
  const verify = async (cookie: string) => {
    const response = await app.inject({ method: 'POST', url: '/otp', headers: { cookie }, payload: { otp: code } });
    return response.json().code;
  };
  await post('/otp', { otp: code }, jar);
  const session = jar.cookies.get(SESSION) ?? '';
  const status = async (cookie: string) => (await app.inject({ url: '/session', headers: { cookie } })).statusCode;

  const planted = `${SESSION}=planted`;
  t.equal(await status(`${planted}; ${SESSION}=${session}`), 200);
  t.equal(await status(`${SESSION}=${session};${planted}`), 200);
  t.equal(await status(`${SESSION}=${challenge}; ${SESSION}=${session}`), 200);
  t.equal(await status(`${planted}; ${SESSION}=%E0; ${SESSION}=; ${SESSION}=${session}`), 200);
  t.equal(await status(`x${SESSION}=${session}`), 401, 'another name');
  t.equal(await verify(`${CHALLENGE}=planted`), 'challenge_missing');
  t.equal(await verify(`${CHALLENGE}=planted; ${CHALLENGE}=${challenge}`), 'otp_used');
});

t.test('junk cookies do not hide a valid one, however many fit into the headers, and cost no decryption', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  const cookies = await registerCookies(app, { keys: separate, secure: false });
  const { open } = cookies.codec;
  let opened = 0;
  Object.assign(cookies.codec, {
    open: (...sealed: Parameters<typeof open>) => {
      opened += 1;
      return open(...sealed);
    },
  });
  for (const purpose of ['session', 'challenge', 'notice'] as const) {
    const name = cookies.names[purpose];
    const value = encodeURIComponent(cookies.codec.seal(purpose, { hello: 'there' }));
    const junk = [
      ...['x', '', '""', '%', 'A'.repeat(40), `${'A'.repeat(20)}%3B`],
      // Of the right form, so that only decryption can tell.
      encodeURIComponent(`${'A'.repeat(40)};${'A'.repeat(32)}`),
    ];
    for (const other of junk) {
      const pairs = Array.from({ length: 8 }, () => `${name}=${other}`);
      while (pairs.join('; ').length < 15_000) pairs.push(`${name}=${other}`);
      opened = 0;
      const cookie = [...pairs, `${name}=${value}`].join('; ');
      t.match(cookies.openAll({ headers: { cookie } } as FastifyRequest, purpose), [
        { name, payload: { hello: 'there' } },
      ]);
      t.ok(
        opened <= (other.length < 57 ? 1 : 200),
        `${purpose} after ${pairs.length} times ${other}: ${opened} opened`,
      );
    }
  }
});

t.test('a cookie is read as its name says, whatever stands around it', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  const cookies = await registerCookies(app, { keys: separate, secure: true });
  const name = '__Host-doorcode-session';
  const value = encodeURIComponent(cookies.codec.seal('session', { hello: 'there' }));
  const found = (cookie: string) => cookies.openAll({ headers: { cookie } } as FastifyRequest, 'session').length;
  t.equal(found(`${name}=${value}`), 1);
  t.equal(found(`a=b;\t ${name}=${value} ;c=d`), 1, 'white space');
  // RFC 6265 §4.1.1: quotes belong to the value, and browsers send back what was set.
  t.equal(found(`${name}="${value}"; ${name}=${value}`), 1, 'quotes');
  t.equal(found(`${name}=${value}; ${name}=${value}`), 2, 'the same twice');
  for (const other of [
    // Browsers take these for other names, which a subdomain may set: servers that trim more than blanks do not.
    `\u00a0${name}=${value}`,
    `\u0085${name}=${value}`,
    `\v${name}=${value}`,
    `x=1,${name}=${value}`,
    `=${name}=${value}`,
    `x${name}=${value}`,
    `x="${name}=${value}"`,
    `${name} =${value}`,
    `${name.toLowerCase()}=${value}`,
    `__Secure-doorcode-session=${value}`,
    `doorcode-session=${value}`,
  ])
    t.equal(found(other), 0, JSON.stringify(other.slice(0, 40)));
});

t.test('only the session is shared with a domain; earlier names are read, and cleared where they come', async (t) => {
  const open = async (domain?: string) => {
    const app = Fastify();
    t.teardown(() => app.close());
    const cookies = await registerCookies(app, { keys: separate, secure: true, ...(domain ? { domain } : {}) });
    app.get('/set/:purpose', async (request, reply) => {
      cookies.set(reply, (request.params as { purpose: 'session' }).purpose, { a: 1 });
    });
    app.get('/clear/:purpose', async (request, reply) => {
      cookies.clear(reply, (request.params as { purpose: 'session' }).purpose);
    });
    const lines = async (url: string, cookie = '') => {
      const response = await app.inject({ url, headers: { cookie } });
      return [response.headers['set-cookie'] ?? []].flat().map((line) => line.replace(/^([^=]+)=[^;]+/, '$1=x'));
    };
    const namesRead = (purpose: 'session' | 'challenge' | 'notice') => {
      const value = encodeURIComponent(cookies.codec.seal(purpose, { a: 1 }));
      const header = ['', '__Secure-', '__Host-'].map((prefix) => `${prefix}doorcode-${purpose}=${value}`).join('; ');
      const request = { headers: { cookie: header } } as FastifyRequest;
      t.equal(cookies.openAnyName(request, purpose).length, 2, 'not without https');
      return cookies.openAll(request, purpose).map(({ name }) => name);
    };
    return { cookies, lines, namesRead };
  };

  const alone = await open();
  t.strictSame(alone.namesRead('session'), ['__Host-doorcode-session'], 'no subdomain signs anybody in');
  t.strictSame(alone.namesRead('challenge'), ['__Host-doorcode-challenge']);
  t.strictSame(alone.namesRead('notice'), ['__Host-doorcode-notice']);

  const shared = await open('example.com');
  t.strictSame(shared.namesRead('session'), ['__Secure-doorcode-session', '__Host-doorcode-session']);
  t.strictSame(shared.namesRead('challenge'), ['__Host-doorcode-challenge', '__Secure-doorcode-challenge']);
  t.strictSame(shared.namesRead('notice'), ['__Host-doorcode-notice'], 'no subdomain puts words on our pages');

  const host = 'Path=/; HttpOnly; Secure';
  const domain = `Domain=example.com; ${host}`;
  const old = '__Secure-doorcode-challenge=x; __Host-doorcode-session=x';
  t.strictSame(await shared.lines('/set/session', old), [`__Secure-doorcode-session=x; ${domain}; SameSite=Lax`]);
  t.strictSame(await shared.lines('/set/challenge'), [`__Host-doorcode-challenge=x; ${host}; SameSite=Strict`]);
  t.strictSame(await shared.lines('/set/challenge', old), [
    `__Secure-doorcode-challenge=; Max-Age=0; ${domain}; SameSite=Strict`,
    `__Host-doorcode-challenge=x; ${host}; SameSite=Strict`,
  ]);
  t.strictSame(await shared.lines('/set/notice', old), [`__Host-doorcode-notice=x; ${host}; SameSite=Lax`]);
  t.strictSame(await shared.lines('/clear/challenge', old), [
    `__Secure-doorcode-challenge=; Max-Age=0; ${domain}; SameSite=Strict`,
    `__Host-doorcode-challenge=; Max-Age=0; ${host}; SameSite=Strict`,
  ]);
  t.strictSame(await shared.lines('/clear/session', old), [
    `__Host-doorcode-session=; Max-Age=0; ${host}; SameSite=Lax`,
    `__Secure-doorcode-session=; Max-Age=0; ${domain}; SameSite=Lax`,
  ]);
  t.strictSame(await shared.lines('/clear/session'), [
    `__Secure-doorcode-session=; Max-Age=0; ${domain}; SameSite=Lax`,
  ]);
});

t.test('a session is opened once; spelled so that it would fill memory, each time', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  const cookies = await registerCookies(app, { keys: separate, secure: false });
  const { open } = cookies.codec;
  let opened = 0;
  Object.assign(cookies.codec, {
    open: (...sealed: Parameters<typeof open>) => {
      opened += 1;
      return open(...sealed);
    },
  });
  const sealed = cookies.codec.seal('session', { hello: 'there' });
  const ask = (value: string) => {
    const request = { headers: { cookie: `a=b; ${SESSION}=${value}` } } as FastifyRequest;
    return cookies.openAll(request, 'session')[0]?.payload;
  };

  for (let time = 0; time < 3; time += 1) t.match(ask(encodeURIComponent(sealed)), { hello: 'there' });
  t.equal(opened, 1);
  // Every character as its number: the same session in three times the room, and there are many such spellings.
  const longer = cookies.codec.seal('session', { hello: 'there', padding: 'x'.repeat(300) });
  const longest = [...longer].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('');
  t.ok(longest.length > 1024);
  opened = 0;
  for (let time = 0; time < 3; time += 1) t.match(ask(longest), { hello: 'there' });
  t.equal(opened, 3);
});
