import t, { type Test } from 'tap';
import { serve } from '../../src/serve.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

async function start(t: Test, env: Record<string, string>) {
  const lines: string[] = [];
  const logs: string[] = [];
  const service = await serve({
    env: { PORT: '0', MAX_EVENT_LOOP_DELAY: 'off', ...env },
    write: (line) => void lines.push(line),
    logDestination: { write: (line) => void logs.push(line) },
  });
  t.teardown(() => service.close(0, 0));
  const login = (username: string, password: string) =>
    fetch(`${service.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
  return { service, lines, logs, login };
}

const ready = async (url: string) => {
  const response = await fetch(`${url}/readyz`);
  return { ...((await response.json()) as { checks: object; warnings: string[] }), status: response.status };
};

t.test('counts in Redis: ready with it, not ready without it, and a policy that evicts is told by name', async (t) => {
  const redis = await startRedis(t, { args: ['--maxmemory-policy', 'allkeys-lru'] });
  if (redis === null) return;
  const { lines, logs, service, login } = await start(t, { REDIS_URL: redis.url, METRICS_PORT: '0' });
  t.match(lines.join('\n'), 'limits are shared in Redis; while it is away, sign-ins are refused');
  t.equal((await login('demo', 'demo')).status, 200);
  const warning = 'maxmemory-policy is allkeys-lru, must be noeviction';
  t.match(await ready(service.url), { status: 200, checks: { limits: 'ok' }, warnings: [warning] });
  t.ok(logs.some((line) => line.includes(warning)));
  await redis.kill();
  // The result of a check is reused for a second.
  await until('it is not ready', async () => (await ready(service.url)).status !== 200);
  const down = { status: 503, checks: { limits: 'out of reach' }, warnings: [warning] };
  t.match(await ready(service.url), down);
  t.match(await ready(service.metricsUrl?.replace(/\/metrics$/, '') ?? ''), down, 'on the port of metrics as well');
  t.match(await (await login('demo', 'demo')).json(), { code: 'limits_unavailable' });
});

t.test('with LIMITS_ON_OUTAGE=local it goes on without Redis, and says so', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  const { lines, logs, service, login } = await start(t, {
    REDIS_URL: redis.url,
    LIMITS_ON_OUTAGE: 'local',
    RESEND_COOLDOWN: '0',
  });
  t.match(lines.join('\n'), 'each replica counts for itself');
  t.match(await ready(service.url), { status: 200, warnings: [] });
  await redis.kill();
  t.equal((await login('demo', 'demo')).status, 200);
  const degraded = 'limits are degraded: each replica counts for itself';
  t.match(await ready(service.url), { status: 200, checks: { limits: 'ok' }, warnings: [degraded] });
  t.ok(logs.some((line) => line.includes(degraded)));
});

t.test('without its store it starts all the same, and is not ready until the store is there', async (t) => {
  const redis = await startRedis(t);
  if (redis === null) return;
  await redis.kill();
  const { service, login } = await start(t, { REDIS_URL: redis.url });
  t.match(await ready(service.url), { status: 503, checks: { limits: 'out of reach' } });
  t.equal((await login('demo', 'demo')).status, 503);
  await redis.start();
  await until('it is ready', async () => (await ready(service.url)).status === 200);
  t.equal((await login('demo', 'demo')).status, 200);
});
