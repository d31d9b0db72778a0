import t from 'tap';
import type { ReadinessReport } from '../../src/http/readiness.ts';
import { startMetricsServer } from '../../src/telemetry/metrics-server.ts';

const ready = async () => ({ ready: true, checks: {}, warnings: [] });

t.test('the port of metrics shows the page of metrics', async (t) => {
  let fails = false;
  const server = await startMetricsServer({
    host: '127.0.0.1',
    port: 0,
    contentType: 'text/plain; version=0.0.4',
    page: async () => {
      if (fails) throw new Error('a secret');
      return 'doorcode_up 1\n';
    },
    reportReadiness: ready,
  });
  const url = `http://127.0.0.1:${server.port}`;
  const response = await fetch(`${url}/metrics?x=1`);
  t.equal(response.status, 200);
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
  t.equal(response.headers.get('cache-control'), 'no-store');
  t.equal(await response.text(), 'doorcode_up 1\n');
  t.equal((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200);
  t.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405);
  for (const path of ['/', '//', '/login', '/metrics/', '/healthz', '/readyz/'])
    t.equal((await fetch(url + path)).status, 404, path);
  fails = true;
  const failed = await fetch(`${url}/metrics`);
  t.equal(failed.status, 500);
  t.equal(await failed.text(), '');

  const again = { host: '127.0.0.1', port: server.port, contentType: '', page: async () => '', reportReadiness: ready };
  await t.rejects(startMetricsServer(again), { code: 'EADDRINUSE' });
  await server.close();
  await t.rejects(fetch(`${url}/metrics`));
});

t.test('the port of metrics shows the readiness with all details', async (t) => {
  const reports: Record<string, ReadinessReport | Error> = {
    all: { ready: false, checks: { process: 'ok', limits: 'out of reach' }, warnings: ['a warning'] },
    'without limits': { ready: true, checks: { process: 'ok' }, warnings: [] },
  };
  const server = await startMetricsServer({
    host: '127.0.0.1',
    port: 0,
    contentType: 'text/plain',
    page: async () => '',
    reportReadiness: async (exclude) => {
      const report = reports[exclude === 'limits' ? 'without limits' : 'all'];
      if (report === undefined || report instanceof Error) throw report;
      return report;
    },
  });
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${server.port}/readyz`;
  const down = await fetch(url);
  t.equal(down.status, 503);
  t.equal(down.headers.get('content-type'), 'application/json');
  t.equal(down.headers.get('cache-control'), 'no-store');
  t.strictSame(await down.json(), {
    status: 'not_ready',
    checks: { process: 'ok', limits: 'out of reach' },
    warnings: ['a warning'],
  });
  const up = await fetch(`${url}?exclude=limits`);
  t.equal(up.status, 200);
  t.strictSame(await up.json(), { status: 'ready', checks: { process: 'ok' }, warnings: [] });
  t.equal((await fetch(url, { method: 'HEAD' })).status, 503);
  t.equal((await fetch(url, { method: 'POST' })).status, 405);
  reports['all'] = new Error('a secret');
  const failed = await fetch(url);
  t.equal(failed.status, 500);
  t.equal(await failed.text(), '');
});
