import { verify } from '@node-rs/argon2';
import Fastify from 'fastify';
import t from 'tap';
import { silentLog } from '../src/log.ts';
import { createCodec } from '../src/seal/codec.ts';
import { deriveKeys } from '../src/seal/keys.ts';
import { createFileDirectory } from '../src/users/file.ts';
import { createPasswordChecker, hashPassword } from '../src/users/password.ts';
import { ALICE, BOB, BROWSER, CookieJar, PASSWORD, seededRandom, testApp, wrongCode } from './support/build-app.ts';
import { fakeClock } from './support/fake-clock.ts';

t.test('no answer, log line or cookie holds the password, a code, a secret, a key or a whole number', async (t) => {
  const master = Buffer.from('an example master key, 32 bytes!');
  const keys = deriveKeys([master]);
  const random = seededRandom('secrets');
  const drawn: Uint8Array[] = [];
  const { app, post, get, postForm, messages, logs, clock, failDelivery } = await testApp({
    ports: {
      keys,
      random: (length) => {
        const bytes = random(length);
        if (length === 20) drawn.push(bytes);
        return bytes;
      },
    },
  });
  const jar = new CookieJar();
  const answers: string[] = [];
  const keep = async (response: Promise<{ raw: unknown; body: string; headers: object }>) => {
    const { body, headers } = await response;
    answers.push(body, JSON.stringify(headers), decodeURIComponent(JSON.stringify(headers)));
  };

  for (const password of [PASSWORD, 'wrong-password-of-the-tests']) {
    await keep(post('/login', { username: 'alice', password }, jar));
    await keep(postForm('/login', { username: 'alice', password }, jar));
    await keep(post('/login', { username: 'alice', password, unknown: true }, jar));
    await keep(post(`/login?password=${encodeURIComponent(password)}`, { username: 'nobody', password }, jar));
  }
  const code = messages.at(-1)?.code ?? '';
  await keep(get('/otp', jar, BROWSER));
  await keep(post('/otp', { otp: wrongCode(code) }, jar));
  await keep(post(`/otp?otp=${code}`, { otp: `${code}0` }, jar));
  await keep(post(`/${code}`, { otp: code }, jar));
  await keep(postForm('/otp', { otp: `${code} ` }, jar));
  await keep(post('/otp/resend', {}, jar));
  failDelivery(new Error(`the provider says that +15550100101 cannot be told ${code}`));
  await keep(post('/otp/resend', {}, jar));
  await keep(postForm('/otp/resend', {}, jar));
  failDelivery(null);
  clock.advance(61);
  await keep(postForm('/otp', { otp: messages.at(-1)?.code ?? '' }, jar));
  await keep(postForm('/otp/resend', {}, jar));
  await keep(post('/otp', { otp: messages.at(-1)?.code }, jar));
  await keep(get('/session', jar));
  await keep(get('/', jar, BROWSER));
  await keep(post('/logout', undefined, jar));
  await app.close();

  const { generateSecret } = await import('../src/challenge/totp.ts');
  const secrets = drawn.flatMap((bytes) => [generateSecret(() => bytes), Buffer.from(bytes).toString('hex')]);
  t.ok(
    messages.length >= 4 && secrets.length >= 8 && answers.length > 30 && logs.length > 10,
    'there was something to look at',
  );
  const allKeys = [master, ...Object.values(keys).flat()].flatMap((key) => [
    key.toString('hex'),
    key.toString('base64'),
  ]);
  const forbidden = [
    PASSWORD,
    encodeURIComponent(PASSWORD),
    'wrong-password-of-the-tests',
    ...messages.map((message) => message.code),
    ...secrets,
    ...allKeys,
    '15550100101',
    '5550100101',
    '555 010 0101',
  ];
  const lines = logs.map(withoutTimes);
  for (const text of forbidden) {
    t.notOk(
      answers.some((answer) => answer.includes(text)),
      'answers',
    );
    t.notOk(
      lines.some((line) => line.includes(text)),
      'logs',
    );
  }
});

/** A log line without the numbers that the clock puts there: the digits of a code may turn up in them by chance. */
function withoutTimes(line: string): string {
  const { time, ms, ...fields } = JSON.parse(line);
  if (typeof time !== 'number' || (ms !== undefined && typeof ms !== 'number')) throw new Error('these are no times');
  return JSON.stringify(fields);
}

t.test('unknown user, wrong password, locked account: the same answer after the same work', async (t) => {
  const passwordHash = await hashPassword(PASSWORD);
  const folder = t.testdir({
    'users.json': JSON.stringify([ALICE, BOB].map((user) => ({ ...user, passwordHash }))),
  });
  // The parameters of each hash that a password was compared with: they decide how long it takes.
  let work: string[] = [];
  const passwords = createPasswordChecker({
    verify: (hash, password) => {
      work.push(hash.split('$').slice(0, 4).join('$'));
      return verify(hash, password);
    },
    now: () => 0,
  });
  const directory = await createFileDirectory({
    path: `${folder}/users.json`,
    clock: fakeClock(),
    log: silentLog,
    passwords,
  });
  const { post, login } = await testApp({
    ports: { directory },
    env: { LIMIT_ACCOUNT_FAILURES: '1' },
  });
  const { jar, code } = await login(BOB);
  await post('/otp', { otp: wrongCode(code) }, jar);
  const known = [...work];
  t.match(known, [/^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+$/]);

  const attempts = {
    'unknown user': { username: 'nobody', password: 'wrong' },
    'wrong password': { username: 'alice', password: 'wrong' },
    'locked account, wrong password': { username: 'bob', password: 'wrong' },
    'locked account, right password': { username: 'bob', password: PASSWORD },
  };
  const answers = new Set<string>();
  for (const [name, attempt] of Object.entries(attempts)) {
    work = [];
    const { statusCode, body } = await post('/login', attempt);
    answers.add(`${statusCode} ${body}`);
    t.strictSame(work, known, name);
  }
  t.match([...answers], [/^401 .*"invalid_credentials"/]);
  t.equal(answers.size, 1, 'the same bytes');
});

t.test('the password is not kept between the factors, not even in the sealed challenge', async (t) => {
  const keys = deriveKeys([Buffer.alloc(32, 1)]);
  const { login, logs, messages } = await testApp({ ports: { keys } });
  const { jar, response } = await login();
  const codec = await createCodec(Fastify(), keys);
  const challenge = codec.open('challenge', decodeURIComponent(jar.cookies.get('doorcode-challenge') ?? ''));
  t.match(challenge, { typ: 'challenge', sub: 'alice', secret: /^[A-Z2-7]{32}$/ }, 'it was opened');
  for (const place of [JSON.stringify(challenge), response.body, logs.join('\n'), JSON.stringify(messages)]) {
    t.notMatch(place, PASSWORD);
    t.notMatch(place, Buffer.from(PASSWORD).toString('base64'));
  }
});
