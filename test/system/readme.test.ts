import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { attacks } from '../../src/attack/attacks/all.ts';
import { systemClock } from '../../src/clock.ts';
import { runCommand } from '../../src/command-line.ts';
import { createAssertions } from '../../src/gateway/assertion.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { program } from '../support/programs.ts';
import { freePort } from '../support/redis.ts';
import { MAIN, startService } from '../support/service.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** A code block of a language below a heading: the first, unless another is asked for. */
function block(heading: string, language: string, index = 0): string {
  const section = README.slice(README.indexOf(`## ${heading}\n`));
  const blocks = [...section.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))];
  return blocks[index]?.[1] ?? '';
}

t.test('the curl session of the README gives what the README says it gives', async (t) => {
  const bash = program(t, 'bash');
  if (bash === null || program(t, 'curl') === null) return;
  const service = await startService(t);
  const script = block('Try it with curl', 'sh').replaceAll('http://127.0.0.1:3000', service.url);
  const [ask = '', rest = ''] = script.split(/^printf .*; read -r CODE$/m);
  const folder = t.testdir({});
  const run = async (commands: string, env: Record<string, string> = {}) => {
    const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '', ...env } };
    return (await promisify(execFile)(bash, ['-euo', 'pipefail', '-c', commands], options)).stdout;
  };
  let output = await run(ask);
  const code = /code (\d{6})/.exec(service.output())?.[1] ?? '';
  output += await run(rest, { CODE: code });

  const said = [...script.matchAll(/^# (\{.*\})$/gm)].map(([, json = '']) => json);
  t.equal(said.length, 4);
  // What differs from run to run stands as … in the README.
  const answers = output.replaceAll(/"\d{4}-\d\d-\d\dT[\d:]+Z"/g, '"…"');
  t.equal(answers, said.join(''));
});

t.test('the steps of the README protect an app behind nginx, run as they are printed', async (t) => {
  const bash = program(t, 'bash');
  const nginx = program(t, 'nginx');
  if (bash === null || nginx === null || program(t, 'openssl') === null || program(t, 'curl') === null) return;
  const folder = t.testdir({ deploy: t.fixture('symlink', fileURLToPath(new URL('../../deploy', import.meta.url))) });
  // Other tests may use the ports of the README at the same time.
  const [gateway, app] = await Promise.all([freePort(), freePort()]);
  const ports = (text: string) => text.replaceAll('9443', String(gateway)).replaceAll(/(?<!app:)8080/g, String(app));
  const printed = (index: number) => ports(block('Try it in front of an app', 'sh', index));

  const prepare = printed(0);
  t.match(prepare, /^sudo apt-get install nginx openssl curl\nnpm ci && mkdir -p try\n/, 'what only a user can run');
  const settings = printed(1).replaceAll('\\\n', ' ').trim().split(/\s+/);
  t.strictSame(settings.splice(-2), ['npm', 'start']);
  const service = await startService(
    t,
    Object.fromEntries(settings.map((each) => each.split('=')) as [string, string][]),
  );
  const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '' } };
  const run = (commands: string, env: Record<string, string> = {}) =>
    promisify(execFile)(bash, ['-euo', 'pipefail', '-c', commands], { ...options, env: { ...options.env, ...env } });
  await run(
    prepare
      .replace(/^sudo .*$/m, '')
      .replace('npm ci && ', '')
      .replaceAll('127.0.0.1:3000', new URL(service.url).host),
  );

  for (const [commands, port] of [
    [printed(2), app],
    [printed(3).replace('/usr/sbin/nginx', nginx), gateway],
  ] as const) {
    // Replaces the shell, so that the signal reaches the program.
    const child = spawn(bash, ['-euc', `exec ${commands}`], { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const ended = once(child, 'exit');
    t.teardown(async () => {
      child.kill('SIGTERM');
      await ended;
    });
    while (!(await isOpen(port))) {
      if (child.exitCode !== null) throw new Error(`${commands}\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const [ask, rest] = [printed(4), printed(5).replace(/^printf .*; read -r CODE$/m, '')];
  const [functions = ''] = ask.split('\n\n');
  const asked = await run(ask);
  const code = /code (\d{6})/.exec(service.output())?.[1] ?? '';
  const signedIn = await run(`${functions}\n${rest}`, { CODE: code });
  const shown = [...`${ask}${rest}`.matchAll(/^# (.*)$/gm)].map(([, line = '']) => line);
  t.equal(shown.length, 6);
  // What differs from run to run is … in the README. A line break follows only where a command prints one.
  const output = (asked.stdout + signedIn.stdout).replaceAll(/"\d{4}-\d\d-\d\dT[\d:]+Z"/g, '"…"');
  t.equal(output.replaceAll('\n', ''), shown.join(''));
});

/** Whether something listens on a port of loopback. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

t.test('the curl commands of the README prove a number, with a key that the README makes', async (t) => {
  const bash = program(t, 'bash');
  if (bash === null || program(t, 'curl') === null) return;
  const heading = 'Prove a phone number from any back end';
  const run = async (commands: string, env: Record<string, string> = {}) => {
    const options = { env: { PATH: process.env['PATH'] ?? '', ...env } };
    return (await promisify(execFile)(bash, ['-euo', 'pipefail', '-c', commands], options)).stdout;
  };
  t.equal(block(heading, 'sh'), 'node dist/main.js api-key shop\n');
  const made = await run(`${process.execPath} ${MAIN} api-key shop`);
  const [key = ''] = /dk_[\w-]+/.exec(made) ?? [];
  const [entry = ''] = /shop:[0-9a-f]{64}/.exec(made) ?? [];

  const numbers = { TEST_NUMBERS: '+15550100001:123456', TEST_NUMBERS_UNTIL: '2099-01-01' };
  const service = await startService(t, { API_KEYS: entry, ...numbers });
  const script = block(heading, 'sh', 1);
  // A person's part: the address, and what the terminal asks for.
  const commands = script.replace(/^(?:DOORCODE_URL=|printf ).*$/gm, '');
  const [ask = '', check = ''] = commands.split('\n\n').filter((part) => part.includes('curl'));
  const env = { DOORCODE_URL: service.url, DOORCODE_KEY: key };
  const asked = await run(ask, env);
  const checked = await run(check, { ...env, ID: JSON.parse(asked).id, CODE: '123456' });
  const said = [...script.matchAll(/^# (\{.*\})$/gm)].map(([, json = '']) => json);
  const answers = [asked.replace(/"id":"[^"]+"/, '"id":"…"').replaceAll(/"\d{4}-\d\d-\d\dT[\d:]+Z"/g, '"…"'), checked];
  t.strictSame(answers, said);
});

t.test('the code for web apps of the README signs in', async (t) => {
  const service = await startService(t);
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
  const code = () => /code (\d{6})/.exec(service.output())?.[1] ?? '';
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
  const service = await startService(t, { ASSERTION_KEY: seed.toString('base64') });
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

t.test(
  'the recipe of the README lets preflight requests pass, nothing else, and without anything of a user',
  async (t) => {
    const nginx = program(t, 'nginx');
    if (nginx === null) return;
    const [, recipe = ''] = /```nginx\n(map [\s\S]*?)```/.exec(README) ?? [];
    const [map = ''] = /^map [\s\S]*?^\}/m.exec(recipe) ?? [];
    const app = await startLoopbackServer(t);
    const auth = await startLoopbackServer(t, (_visit, response) => void response.writeHead(401).end());
    const port = await freePort();
    const folder = t.testdir({});
    const locations = recipe
      .replace(map, '')
      .replace(/# … auth_request.*/, 'auth_request /check; proxy_pass http://$app;');
    writeFileSync(
      `${folder}/nginx.conf`,
      `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
    http {
      access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      ${map}
      server {
        listen 127.0.0.1:${port};
        set $public_host app.example.com;
        set $app ${new URL(app.url).host};
        ${locations}
        location = /check { internal; proxy_pass ${auth.url}/auth; }
      }
    }`,
    );
    const child = spawn(nginx, ['-p', folder, '-c', `${folder}/nginx.conf`], { stdio: 'ignore' });
    t.teardown(() => void child.kill('SIGTERM'));
    for (let isUp = false; !isUp; ) {
      if (child.exitCode !== null) throw new Error(readFileSync(`${folder}/error.log`, 'utf8'));
      isUp = await new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
        socket.unref().end();
      });
    }

    const { request } = await import('undici');
    const send = async (method: string, headers: Record<string, string>) => {
      const answer = await request(`http://127.0.0.1:${port}/inbox`, { method: method as 'GET', headers });
      await answer.body.dump();
      return answer.statusCode;
    };
    const origin = 'https://other.example.com:8443';
    const preflight = { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-a' };
    const more = { cookie: 'a=b', 'remote-user': 'admin', 'remote.user': 'admin', authorization: 'x' };
    t.equal(await send('OPTIONS', { ...preflight, ...more }), 200);
    t.equal(await send('OPTIONS', { ...preflight, origin: 'null' }), 200);
    t.strictSame(Object.keys(app.visits[0]?.headers ?? {}).toSorted(), [
      'access-control-request-headers',
      'access-control-request-method',
      'connection',
      'host',
      'origin',
    ]);
    for (const [method, headers] of [
      ['OPTIONS', {}],
      ['OPTIONS', { origin }],
      ['OPTIONS', { origin: 'https://other.example.com:80' }],
      ['OPTIONS', { 'access-control-request-method': 'PUT' }],
      ['GET', preflight],
      ['POST', preflight],
    ] as const)
      t.equal(await send(method, headers), 401, `${method} ${Object.keys(headers)}`);
    t.equal(app.visits.length, 2);
  },
);
