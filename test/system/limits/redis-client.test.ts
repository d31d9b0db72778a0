import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DoorcodeError } from '../../../src/errors.ts';
import { createRedisLimits } from '../../../src/limits/redis.ts';
import { openRedis, type RedisClient } from '../../../src/limits/redis-client.ts';
import { silentLog } from '../../../src/log.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { type HangingProxy, startHangingProxy } from '../../support/hanging-proxy.ts';
import { freePort, startRedis, startSentinel, TEST_KEYS } from '../../support/redis.ts';
import { createTestTls } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

function open(t: Test, url: string): RedisClient {
  const client = openRedis(url);
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  return client;
}

/** Counts through the connection, in the way that the service does. */
async function counts(t: Test, url: string): Promise<number> {
  const limits = createRedisLimits({
    masterKeys: TEST_KEYS,
    url,
    clock: fakeClock(),
    log: silentLog,
    timeoutMs: 60_000,
  });
  t.teardown(() => limits.close());
  await limits.connected(60_000);
  await limits.add('rule', 'a', 60);
  await limits.add('rule', 'b', 60);
  return (await limits.add('rule', 'a', 60)).count;
}

t.test('a single server, with user, password and database', async (t) => {
  const redis = await startRedis(t, {
    args: ['--user', 'door', 'on', '>s3cret', '~*', '+@all', '--requirepass', 'other'],
  });
  if (redis === null) return;
  const client = open(t, `redis://door:s3cret@127.0.0.1:${redis.port}/3`);
  await once(client, 'ready');
  t.equal(await client.set('key', 'value'), 'OK');
  const plain = open(t, `redis://:other@127.0.0.1:${redis.port}/0`);
  await once(plain, 'ready');
  t.equal(await plain.get('key'), null, 'the database is another');
  t.equal(await counts(t, `redis://:other@127.0.0.1:${redis.port}`), 2);
});

t.test('over TLS', async (t) => {
  const tls = createTestTls();
  const folder = t.testdir({ 'key.pem': tls.key, 'cert.pem': tls.cert, 'ca.pem': tls.ca });
  const port = await freePort();
  const file = (name: string) => join(folder, name);
  const redis = await startRedis(t, {
    args: [
      '--tls-port',
      `${port}`,
      '--tls-cert-file',
      file('cert.pem'),
      '--tls-key-file',
      file('key.pem'),
      '--tls-ca-cert-file',
      file('ca.pem'),
      '--tls-auth-clients',
      'no',
    ],
  });
  if (redis === null) return;
  // The certificate is trusted as an operator would do it, in a process of its own.
  const script = `
    const { openRedis } = await import('${new URL('../../../dist/limits/redis-client.js', import.meta.url).href}');
    const client = openRedis(process.env.REDIS_URL);
    client.on('error', (error) => { console.log(error.code ?? error.message); process.exit(); });
    client.on('ready', async () => { console.log(await client.ping()); process.exit(); });`;
  const ask = async (env: Record<string, string>) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await once(child, 'close');
    return output.trim();
  };
  const trusted = { NODE_EXTRA_CA_CERTS: file('ca.pem') };
  const REDIS_URL = `rediss://localhost:${port}`;
  t.equal(await ask({ REDIS_URL, ...trusted }), 'PONG');
  t.not(await ask({ REDIS_URL }), 'PONG', 'not without trust');

  const sentinelPort = await freePort();
  const lines = [
    'port 0',
    `tls-port ${sentinelPort}`,
    `tls-cert-file ${file('cert.pem')}`,
    `tls-key-file ${file('key.pem')}`,
    `tls-ca-cert-file ${file('ca.pem')}`,
    'tls-auth-clients no',
    'tls-replication yes',
    'requirepass s3cret',
  ];
  await startSentinel(t, { port }, lines);
  const sentinels = `rediss+sentinel://:s3cret@localhost:${sentinelPort}/main`;
  t.equal(await ask({ REDIS_URL: sentinels, ...trusted }), 'PONG', 'sentinels as well');
});

async function startClusterNode(t: Test) {
  const busPort = await freePort();
  const redis = await startRedis(t, {
    args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-port', `${busPort}`],
  });
  if (redis === null) return null;
  const admin = open(t, redis.url);
  await once(admin, 'ready');
  return { redis, busPort, admin };
}

/**
 * A cluster of two nodes, of which the first has nearly all keys.
 *
 * @param announce makes the port by which the first tells its clients to come
 */
async function startCluster(t: Test, announce = async (port: number) => port): Promise<string | null> {
  const [first, second] = [await startClusterNode(t), await startClusterNode(t)];
  if (first === null || second === null) return null;
  const port = await announce(first.redis.port);
  await first.admin.call('CONFIG', 'SET', 'cluster-announce-port', `${port}`);
  await first.admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16382');
  await second.admin.call('CLUSTER', 'ADDSLOTS', '16383');
  await second.admin.call('CLUSTER', 'MEET', '127.0.0.1', `${first.redis.port}`, `${first.busPort}`);
  for (const { admin } of [first, second]) {
    const knows = async () => /cluster_state:ok[\s\S]*cluster_size:2/.test(String(await admin.call('CLUSTER', 'INFO')));
    await until('the nodes know each other', knows);
  }
  return `redis+cluster://127.0.0.1:${port}`;
}

t.test('a cluster', async (t) => {
  const url = await startCluster(t);
  if (url !== null) t.equal(await counts(t, url), 2);
});

for (const kind of ['single server', 'cluster']) {
  t.test(`what a ${kind} has been told is not told again when the connection breaks before its answer`, async (t) => {
    let proxy: HangingProxy | undefined;
    const announce = async (port: number) => {
      proxy = await startHangingProxy(t, port);
      return proxy.port;
    };
    const single = async () => {
      const redis = await startRedis(t);
      return redis && `redis://127.0.0.1:${await announce(redis.port)}`;
    };
    const url = await (kind === 'cluster' ? startCluster(t, announce) : single());
    if (url === null) return;
    const limits = createRedisLimits({
      masterKeys: TEST_KEYS,
      url,
      clock: fakeClock(),
      log: silentLog,
      timeoutMs: 60_000,
    });
    t.teardown(() => limits.close());
    await limits.connected(60_000);
    await limits.add('rule', 'a', 60);
    await limits.claim('rule', 'b', 60);
    proxy?.cut();
    await t.rejects(Promise.all([limits.add('rule', 'a', 60)]), { code: 'limits_unavailable' });
    let found: number | null = null;
    await until('the store can be read', async () => {
      found = await limits.read('rule', 'a').then(
        ({ count }) => count,
        () => null,
      );
      return found !== null;
    });
    t.equal(found, 2);
    proxy?.cut();
    t.equal(await limits.claim('once', 'a', 60).catch((error: DoorcodeError) => error.code), 'limits_unavailable');
  });
}

t.test('sentinels, which know where the primary is', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  t.equal(await counts(t, `redis+sentinel://127.0.0.1:${await startSentinel(t, redis)}/main`), 2);
});

t.test('without a connection a command fails at once', async (t) => {
  const client = open(t, `redis://127.0.0.1:${await freePort()}`);
  await t.rejects(client.get('key'));
  await once(client, 'error');
  await t.rejects(client.get('key'));
});
