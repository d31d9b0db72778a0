// The gateways of deploy/, run from their very files on loopback: only addresses, ports and certificates are put in.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const deploy = (file) => readFileSync(new URL(`../deploy/${file}`, import.meta.url), 'utf8');

/** Each must stand in the file, so that a file that changed does not run with addresses of its own. */
function put(text, replacements) {
  return replacements.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`the file has no ${from}`);
    return result.replaceAll(from, to);
  }, text);
}

const gateways = {
  nginx: ({ port, replicas, app, folder, files }) => ({
    config: put(deploy('nginx.conf'), [
      ['http {', `http {\n${nginxFolders(folder)}\n  access_log off;`],
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      // The login page is also served under the address, for clients that resolve no name.
      ['server_name login.example.com;', 'server_name login.example.com 127.0.0.1;'],
      ['public_host login.example.com;', `public_host login.example.com:${port};`],
      ['public_host app.example.com;', `public_host app.example.com:${port};`],
      ['doorcode-1:3000', replicas[0]],
      ['doorcode-2:3000', replicas[1]],
      ['$app app:8080', `$app ${app}`],
      ['/etc/gateway/tls.crt', files.cert],
      ['/etc/gateway/tls.key', files.key],
    ]),
    args: (config) => ['-e', 'stderr', '-p', folder, '-c', config, '-g', `daemon off; pid ${folder}/nginx.pid;`],
  }),
  haproxy: ({ port, askPort, replicas, app, files, lua }) => ({
    config: put(deploy('haproxy.cfg'), [
      ['/usr/local/etc/haproxy/doorcode.lua', lua],
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['/usr/local/etc/haproxy/tls.pem', files.pem],
      ['bind 127.0.0.1:3001', `bind 127.0.0.1:${askPort}`],
      ['-m str login.example.com', '-m str login.example.com 127.0.0.1'],
      ['Host login.example.com', `Host login.example.com:${port}`],
      ['Host app.example.com', `Host app.example.com:${port}`],
      ['server doorcode-1 doorcode-1:3000', `server doorcode-1 ${replicas[0]}`],
      ['server doorcode-2 doorcode-2:3000', `server doorcode-2 ${replicas[1]}`],
      ['server app app:8080', `server app ${app}`],
    ]),
    args: (config) => ['-db', '-f', config],
  }),
  caddy: ({ port, replicas, app, files }) => ({
    config: put(deploy('Caddyfile'), [
      // Caddy must never add a certificate authority of its own to those that this machine trusts.
      ['\tadmin off', '\tadmin off\n\tauto_https off\n\tskip_install_trust'],
      ['Host login.example.com', `Host login.example.com:${port}`],
      ['Host app.example.com', `Host app.example.com:${port}`],
      ['\n:443 {', `\nhttps://:${port} {${caddyTls(files)}`],
      ['\nlogin.example.com {', `\nhttps://login.example.com:${port} {${caddyTls(files)}`],
      ['\napp.example.com {', `\nhttps://app.example.com:${port} {${caddyTls(files)}`],
      ['doorcode-1:3000', replicas[0]],
      ['doorcode-2:3000', replicas[1]],
      ['app:8080', app],
    ]),
    args: (config) => ['run', '--adapter', 'caddyfile', '--config', config],
  }),
};

/**
 * Longer time-outs, for tests: a replica that is slow because the machine is busy must not count as dead. One that refuses
 * connections or answers 503 is found as soon as with the file itself.
 */
const PATIENCE = {
  nginx: [['proxy_connect_timeout 1s', 'proxy_connect_timeout 60s']],
  haproxy: [
    ['timeout connect 1s', 'timeout connect 60s'],
    ['timeout client 30s', 'timeout client 5m'],
    ['timeout server 30s', 'timeout server 5m'],
    ['timeout check 2s', 'timeout check 60s'],
  ],
  caddy: [['health_interval 500ms', 'health_interval 500ms\n\thealth_timeout 60s']],
};

const caddyTls = ({ cert, key }) => `\n\tbind 127.0.0.1\n\ttls ${cert} ${key}`;

const nginxFolders = (folder) =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join('\n');

/** Systems assign ports above these to outgoing connections and to servers that take any port. */
const [FIRST_PORT, LAST_PORT] = [20_000, 32_767];

/** @returns a port of loopback that was free a moment ago; only a server that asks for this very port can have taken it */
export async function freePort() {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if (error.code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/**
 * @param program its path
 * @param options.replicas two addresses of doorcode, `127.0.0.1:3000`
 * @param options.app the address of the app
 * @param options.tls key and certificate, PEM
 * @param options.patient whether it waits longer for a replica than the file says
 * @param options.changes texts of the file to replace, each with its replacement
 * @returns how to end it, and what it wrote
 */
export async function startGateway(name, program, options) {
  const { port, replicas, app, tls, patient = false, changes = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'doorcode-gateway-'));
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), pem: join(folder, 'tls.pem') };
  const lua = join(folder, 'doorcode.lua');
  const askPort = await freePort();
  await Promise.all([
    // nginx's workers are nobody, where it is started by root.
    chmod(folder, 0o755),
    writeFile(files.cert, tls.cert),
    writeFile(files.key, tls.key),
    writeFile(files.pem, tls.cert + tls.key),
    writeFile(
      lua,
      put(deploy('doorcode.lua'), [
        ['127.0.0.1:3001', `127.0.0.1:${askPort}`],
        ...(patient ? [['timeout = 3000', 'timeout = 60000']] : []),
      ]),
    ),
  ]);
  const { config, args } = gateways[name]({ port, askPort, replicas, app, folder, files, lua });
  const path = join(folder, 'config');
  await writeFile(path, put(config, [...(patient ? PATIENCE[name] : []), ...changes]));

  const child = spawn(program, args(path), {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = once(child, 'exit');
  child.once('exit', (code, signal) => {
    output += `${program} ended with ${signal ?? `exit code ${code}`}\n`;
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; !(await listens(port)); tries += 1) {
    if (child.exitCode !== null || child.signalCode !== null || tries > 1200) {
      await stop();
      throw new Error(`${name} does not listen:\n${output}`);
    }
    await setTimeout(50);
  }
  return { stop, output: () => output };
}

async function listens(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
