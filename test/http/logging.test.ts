import t from 'tap';
import { createLogger, errorFields } from '../../src/http/logging.ts';
import { BROWSER, CookieJar, PASSWORD, testApp, wrongCode } from '../support/build-app.ts';

function capture(level: string) {
  const lines: string[] = [];
  return { lines, logger: createLogger({ level, destination: { write: (line) => void lines.push(line) } }) };
}

t.test('one JSON object a line, with the name of the service and nothing of the machine', async (t) => {
  const { lines, logger } = capture('info');
  logger.info({ a: 1 }, 'hello');
  t.equal(lines.length, 1);
  t.ok(lines[0]?.endsWith('}\n'));
  const { time, ...rest } = JSON.parse(lines[0] ?? '');
  t.type(time, 'number');
  t.strictSame(rest, { level: 30, service: 'doorcode', a: 1, msg: 'hello' });
});

t.test('what is below the level is not written', async (t) => {
  const { lines, logger } = capture('warn');
  logger.info({}, 'no');
  logger.warn({}, 'yes');
  t.equal(lines.length, 1);
  t.equal(createLogger({ level: 'silent' }).level, 'silent', 'without a destination it goes to standard output');
});

t.test('each answered request is one line: method, route, status, time', async (t) => {
  const { app, get, post, logs } = await testApp();
  const line = async (answer: Promise<unknown>) => {
    logs.length = 0;
    await answer;
    const requests = logs.map((each) => JSON.parse(each)).filter((each) => each.msg === 'request');
    t.equal(requests.length, 1);
    const { method, route, status, ms, msg, level } = requests[0];
    t.type(ms, 'number');
    return { method, route, status, msg, level };
  };
  const info = { msg: 'request', level: 30 };
  t.strictSame(await line(get('/login?next=/x')), { method: 'GET', route: '/login', status: 200, ...info });
  t.strictSame(await line(post('/otp', {})), { method: 'POST', route: '/otp', status: 400, ...info });
  t.strictSame(await line(get('/nowhere/482915')), { method: 'GET', route: null, status: 404, ...info });
  t.strictSame(await line(app.inject({ method: 'PUT', url: '/login' })), {
    method: 'PUT',
    route: null,
    status: 405,
    ...info,
  });
});

t.test('health checks are logged at debug, whatever their method, query and answer', async (t) => {
  const { app, logs } = await testApp({ ports: { readiness: { limits: () => 'out of reach' } } });
  for (const path of ['/healthz', '/readyz']) {
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE'] as const) {
      for (const query of ['', '?exclude=limits', '?exclude=redis', '?t=1', '?']) {
        logs.length = 0;
        await app.inject({ method, url: `${path}${query}` });
        const lines = logs.map((line) => JSON.parse(line));
        const levels = lines.filter(({ check }) => check === undefined).map(({ level }) => level);
        t.ok(levels.length >= 1 && levels.every((level) => level === 20), `${method} ${path}${query}: ${logs}`);
      }
    }
  }
  for (const url of ['/healthz/', '/readyzz', '/login?next=/healthz', '/nowhere/readyz']) {
    logs.length = 0;
    await app.inject(url);
    t.match(JSON.parse(logs.at(-1) ?? ''), { level: 30, msg: 'request' }, url);
  }
});

t.test('no line holds an address, a header, a body, a code, a number or a cookie', async (t) => {
  const { app, get, post, postForm, logs, messages, failDelivery } = await testApp();
  const jar = new CookieJar();
  const headers = { 'user-agent': 'agent-zebra', referer: 'https://ref.example/zebra' };
  await post('/login?zebra=1', { username: 'alice', password: PASSWORD, next: '/zebra' }, jar, headers);
  const cookie = [...jar.cookies.values()].join();
  const code = messages[0]?.code ?? '';
  await post('/login', { username: 'zebra', password: 'zebra-password' });
  await post('/login', { username: 'zebra', zebra: 1 });
  await post('/otp?zebra', { otp: wrongCode(code) }, jar, headers);
  await postForm('/otp', { otp: 'zebra' }, jar);
  await get('/zebra?zebra', jar, { ...BROWSER, ...headers });
  await post('/otp', { otp: code }, jar, headers);
  await get('/session?zebra', jar, headers);
  await app.inject({
    method: 'POST',
    url: '/otp',
    headers: { 'content-type': 'application/json' },
    payload: '{"zebra',
  });
  failDelivery(new Error('zebra-free failure of +15550100101'));
  await post('/login', { username: 'alice', password: PASSWORD });

  const text = logs.join('');
  t.ok(logs.length >= 10);
  const secrets = ['zebra', 'alice', PASSWORD, code, wrongCode(code), '15550100101', cookie.slice(0, 40), 'http'];
  for (const secret of secrets) {
    // A failure that nobody expected is told by the words of the library that failed.
    const where = secret === 'zebra' || secret === 'http' ? text.replaceAll(/"err":\{.*?\}/g, '') : text;
    t.notOk(where.includes(secret), secret);
  }
});

t.test('of an error there is its type, code, message and stack, with numbers blotted', async (t) => {
  const { lines, logger } = capture('info');
  const cause = new Error('inner +15550100101');
  const error = Object.assign(new TypeError('to +1 (555) 010-0101: code 482915, status 21211', { cause }), {
    code: 'E_SEND',
    phone: '+15550100101',
  });
  logger.error({ err: error }, 'failed');
  const { err } = JSON.parse(lines[0] ?? '');
  t.strictSame(Object.keys(err), ['type', 'code', 'message', 'stack']);
  t.match(err, { type: 'TypeError', code: 'E_SEND', message: 'to [digits]: code [digits], status 21211' });
  t.match(err.stack, /^TypeError: to \[digits\]: code \[digits\], status 21211\n +at /);
  t.notMatch(lines[0], /5550100101|482915|010-0101/);
});

t.test('numbers are blotted in every way people write them', async (t) => {
  const blotted: Record<string, string> = {
    'code 482915.': 'code [digits].',
    'code 48-29-15': 'code [digits]',
    '+15550100101': '[digits]',
    '+1 555 010 0101': '[digits]',
    '+1 (555) 010-0101': '[digits]',
    '+1.555.010.0101 and +4915550100102': '[digits] and [digits]',
    '0123456789': '[digits]',
    '@login.example.com #482915': '@login.example.com #[digits]',
    // Short numbers tell what happened.
    'status 503 after 4000 ms on port 65535': 'status 503 after 4000 ms on port 65535',
  };
  for (const [text, expected] of Object.entries(blotted)) {
    t.equal((errorFields(new Error(text)) as { message: string }).message, expected, text);
  }
});

t.test('an error without a stack, and what is no error at all', async (t) => {
  const bare = new Error('482915');
  delete bare.stack;
  t.match(errorFields(bare), { type: 'Error', code: undefined, message: '[digits]', stack: '' });
  t.strictSame(errorFields('code 482915'), { type: 'string', message: 'code [digits]' });
  t.strictSame(errorFields({ phone: '+15550100101' }), { type: 'object' });
  t.strictSame(errorFields(null), { type: 'object' });
  t.strictSame(errorFields(undefined), { type: 'undefined' });
});
