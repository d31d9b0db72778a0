import t from 'tap';
import { startMetricsServer } from '../../src/telemetry/metrics-server.ts';

t.test('one page, and nothing else', async (t) => {
  let fails = false;
  const server = await startMetricsServer({
    host: '127.0.0.1',
    port: 0,
    contentType: 'text/plain; version=0.0.4',
    page: async () => {
      if (fails) throw new Error('a secret');
      return 'doorcode_up 1\n';
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const response = await fetch(`${url}/metrics?x=1`);
  t.equal(response.status, 200);
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
  t.equal(response.headers.get('cache-control'), 'no-store');
  t.equal(await response.text(), 'doorcode_up 1\n');
  t.equal((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200);
  t.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405);
  for (const path of ['/', '/login', '/metrics/', '/healthz']) t.equal((await fetch(url + path)).status, 404, path);
  fails = true;
  const failed = await fetch(`${url}/metrics`);
  t.equal(failed.status, 500);
  t.equal(await failed.text(), '');

  await t.rejects(startMetricsServer({ host: '127.0.0.1', port: server.port, contentType: '', page: async () => '' }), {
    code: 'EADDRINUSE',
  });
  await server.close();
  await t.rejects(fetch(`${url}/metrics`));
});
