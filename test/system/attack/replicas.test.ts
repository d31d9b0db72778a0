import t from 'tap';
import { freePort, startGateway } from '../../../bench/gateways.mjs';
import { attacks } from '../../../src/attack/attacks/all.ts';
import { passwordGuessing } from '../../../src/attack/attacks/password-guessing.ts';
import { enumerationByTime } from '../../../src/attack/attacks/user-enumeration.ts';
import { attackAt, inboxSettings, named, ON_AN_APP } from '../../support/attacking.ts';
import { startLoopbackServer } from '../../support/loopback-server.ts';
import { program } from '../../support/programs.ts';
import { startRedis } from '../../support/redis.ts';
import { testBuild } from '../../support/test-build.ts';
import { createTestTls } from '../../support/tls.ts';

t.test('two replicas with Redis behind nginx, from its file in deploy/, pass', async (t) => {
  const nginx = program(t, 'nginx');
  const redis = await startRedis(t);
  if (nginx === null || redis === null) return;
  const build = await testBuild(t);
  const inbox = await inboxSettings();
  const port = await freePort();
  const tls = createTestTls();
  const url = `https://127.0.0.1:${port}`;
  const env = {
    ...inbox.env,
    ORIGIN: url,
    TRUST_PROXY: 'loopback',
    REDIS_URL: redis.url,
    SESSION_KEYS: Buffer.alloc(32, 7).toString('base64'),
  };
  const [one, two] = [await build.start(env), await build.start(env)];
  const app = await startLoopbackServer(t);
  const gateway = await startGateway('nginx', nginx, {
    port,
    replicas: [new URL(one.url).host, new URL(two.url).host],
    app: new URL(app.url).host,
    tls,
  });
  t.teardown(() => gateway.stop());

  const { findings, exitCode, lines } = await attackAt(url, inbox.port, build.clock, {
    ca: tls.ca,
    // What measures time needs a quiet machine, and has no need of replicas.
    attacks: attacks.filter((attack) => attack !== enumerationByTime),
  });
  t.strictSame(named(findings, 'failed'), [], lines.join('\n'));
  t.strictSame(named(findings, 'skipped'), [...ON_AN_APP, 'guessing over many codes'], lines.join('\n'));
  t.equal(exitCode, 0);
  // Without the gateway in front, anybody may say where they come from, to a service that believes it.
  const behind = await attackAt(one.url, inbox.port, build.clock, { attacks: [passwordGuessing] });
  t.strictSame(named(behind.findings, 'failed'), ['password guessing']);
});
