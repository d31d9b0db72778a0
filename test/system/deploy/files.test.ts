import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { parse } from 'yaml';
import { systemClock } from '../../../src/clock.ts';
import { createRedisLimits } from '../../../src/limits/redis.ts';
import { silentLog } from '../../../src/log.ts';
import { program } from '../../support/programs.ts';
import { startRedis, TEST_KEYS } from '../../support/redis.ts';

t.test('compose.yaml: with what the commands at its top make, Valkey accepts only its password', async (t) => {
  const bash = program(t, 'bash');
  if (bash === null || program(t, 'openssl') === null) return;
  const text = readFileSync(new URL('../../../deploy/compose.yaml', import.meta.url), 'utf8');
  const { services } = parse(text, { merge: true });
  const commands = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, line = '']) => line);
  const folder = t.testdir({});
  const made = commands.filter((line) => line.includes('password'));
  t.equal(made.length, 3);
  await promisify(execFile)(bash, ['-euc', made.join('\n')], { cwd: folder });
  const [, , ...args] = services.valkey.command;
  const redis = await startRedis(t, { args: ['--include', join(folder, 'valkey-config'), ...args] });
  if (redis === null) return;

  const url = new URL(readFileSync(join(folder, 'redis-url'), 'utf8').trim());
  t.equal(url.host, 'valkey:6379');
  t.ok(url.password.length >= 32);
  url.host = `127.0.0.1:${redis.port}`;
  const limits = createRedisLimits({
    masterKeys: TEST_KEYS,
    url: url.href,
    clock: systemClock,
    log: silentLog,
    timeoutMs: 60_000,
  });
  t.teardown(() => limits.close());
  await limits.connected(60_000);
  t.equal(await limits.check(), null, 'with the password');
  t.equal(limits.evictionWarning(), null);

  const socket = connect(redis.port, '127.0.0.1').setEncoding('utf8');
  t.teardown(() => socket.destroy());
  socket.write('PING\r\n');
  const [answer] = await once(socket, 'data');
  t.match(answer, /^-NOAUTH /, 'without the password');
});
