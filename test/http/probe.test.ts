import t from 'tap';
import { isProbe } from '../../src/http/probe.ts';

t.test('requests for the paths of health checks are probes, with or without a route', async (t) => {
  const request = (url: string, route?: string) =>
    ({ url, routeOptions: { url: route } }) as Parameters<typeof isProbe>[0];
  for (const url of ['/healthz', '/readyz', '/readyz?', '/readyz?exclude=limits', '/healthz?a=/b']) {
    t.equal(isProbe(request(url)), true, url);
  }
  t.equal(isProbe(request('/%68ealthz', '/healthz')), true, 'by its route');
  for (const url of ['/', '/login', '/healthz/', '/readyz/x', '/x/readyz', '/login?next=/readyz', '']) {
    t.equal(isProbe(request(url)), false, url);
  }
  t.equal(isProbe(request('/readyz', '/login')), false, 'a route decides before the URL');
});
