import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { program } from '../support/programs.ts';
import { block, README } from '../support/readme.ts';
import { freePort } from '../support/redis.ts';
import { MAIN, type RunningService, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

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
  const code = await writtenCode(service);
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
    await until(`${commands} listens`, () => {
      if (child.exitCode !== null) throw new Error(output);
      return isOpen(port);
    });
  }

  const [ask, rest] = [printed(4), printed(5).replace(/^printf .*; read -r CODE$/m, '')];
  const [functions = ''] = ask.split('\n\n');
  const asked = await run(ask);
  const code = await writtenCode(service);
  const signedIn = await run(`${functions}\n${rest}`, { CODE: code });
  const shown = [...`${ask}${rest}`.matchAll(/^# (.*)$/gm)].map(([, line = '']) => line);
  t.equal(shown.length, 6);
  // What differs from run to run is … in the README. A line break follows only where a command prints one.
  const output = (asked.stdout + signedIn.stdout).replaceAll(/"\d{4}-\d\d-\d\dT[\d:]+Z"/g, '"…"');
  t.equal(output.replaceAll('\n', ''), shown.join(''));
});

/** The code that the service has written to its console. */
async function writtenCode(service: RunningService): Promise<string> {
  const written = () => /code (\d{6})/.exec(service.output())?.[1];
  await until('the code', () => written() !== undefined);
  return written() ?? '';
}

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
    await until('nginx listens', () => {
      if (child.exitCode !== null) throw new Error(readFileSync(`${folder}/error.log`, 'utf8'));
      return isOpen(port);
    });

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
