import t, { type Test } from 'tap';
import { attacks } from '../src/attack/attacks/all.ts';
import { systemClock } from '../src/clock.ts';
import { runCommand } from '../src/command-line.ts';
import { createAssertions } from '../src/gateway/assertion.ts';
import { serve } from '../src/serve.ts';
import { block, README } from './support/readme.ts';

async function start(t: Test, env: Record<string, string> = {}) {
  const lines: string[] = [];
  const service = await serve({
    env: { PORT: '0', LOG_LEVEL: 'silent', ...env },
    write: (line) => void lines.push(line),
  });
  t.teardown(() => service.close(0, 0));
  return { service, lines };
}

t.test('the code for web apps of the README signs in', async (t) => {
  const { service, lines } = await start(t);
  const jar = new Map<string, string>();
  // A browser's part: the origin and the cookies.
  const browser = async (path: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(service.url + path, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    return response;
  };
  const shown: string[] = [];
  const went: string[] = [];
  const code = () => /code (\d{6})/.exec(lines.join('\n'))?.[1] ?? '';
  const snippet = block('Use it from a web app', 'js').replace("post('/otp', { otp })", "post('/otp', { otp: otp() })");
  const run = new Function(
    ...['fetch', 'username', 'password', 'otp', 'show', 'location'],
    `return (async () => {\n${snippet}\n})();`,
  );
  const location = { assign: (url: string) => went.push(url) };
  const show = (text: string) => shown.push(text);
  await run(browser, 'demo', 'demo', code, show, location);
  t.strictSame({ shown, went }, { shown: [], went: ['/'] });
  await run(browser, 'demo', 'wrong', code, show, location);
  t.equal(shown[0], 'invalid_credentials');
});

t.test('the code for assertions of the README takes a sign-in, and nothing else', async (t) => {
  const seed = Buffer.alloc(32, 1);
  const { service } = await start(t, { ASSERTION_KEY: seed.toString('base64') });
  const snippet = block('Assertions', 'js')
    .replace("import { createRemoteJWKSet, jwtVerify } from 'jose';", '')
    .replace('https://login.example.com/.well-known', `${service.url}/.well-known`);
  const { createRemoteJWKSet, jwtVerify } = await import('jose');
  const whoIs = new Function('createRemoteJWKSet', 'jwtVerify', `${snippet}\nreturn whoIs;`)(
    createRemoteJWKSet,
    jwtVerify,
  ) as (assertion: string) => Promise<string>;

  const issuer = 'https://login.example.com';
  const signer = (audience: string) =>
    createAssertions({ keys: [seed], issuer, audience: [audience], clock: systemClock });
  const claims = { sub: 'alice', amr: ['pwd', 'otp', 'sms'], authTime: 1 };
  const app = 'https://app.example.com';
  t.equal(await whoIs(await signer(app).sign(claims)), 'alice');
  for (const other of [issuer, 'https://other.example.com']) {
    await t.rejects(whoIs(await signer(other).sign(claims)), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' }, other);
  }
  await t.rejects(whoIs(await signer(app).sign({ ...claims, amr: ['otp', 'sms'] })), { message: 'not a sign-in' });
});

t.test('what the README shows of an attack is what the command does', async (t) => {
  const [, lines = ''] = /```\n(passed[\s\S]*?)```/.exec(README) ?? [];
  const names = attacks.map(({ name }) => name);
  const shown = [...lines.matchAll(/^(?:passed|skipped) +([^:]+):/gm)].map(([, name = '']) => name);
  t.ok(shown.length > 2);
  t.strictSame(
    shown.filter((name) => !names.includes(name)),
    [],
  );
  const script = block('Attack it yourself', 'sh');
  const said: string[] = [];
  const complain = (line: string) => void said.push(line);
  await runCommand(['attack', 'http://127.0.0.1:3000'], '1', {
    write: complain,
    complain,
    env: {},
    readPassword: async () => '',
  });
  const [start = ''] = /WEBHOOK_URL=\S+ npm start/.exec(script) ?? [];
  t.match(start, /8026/);
  t.match(said.join(), start, 'the command tells the same line when it is not set up');
});
