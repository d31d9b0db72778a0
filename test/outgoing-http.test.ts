import t, { type Test } from 'tap';
import { createDispatcher, type OutgoingOptions, proxyFailure } from '../src/outgoing-http.ts';
import { noProxies, type ProxySettings } from '../src/proxy-config.ts';
import { startHttpProxy } from './support/http-proxy.ts';
import { startLoopbackServer } from './support/loopback-server.ts';
import { startSignalWire } from './support/signalwire.ts';

const LIMITS = { connections: 2, pipelining: 1, keepAliveTimeout: 4_000, connect: { timeout: 5_000 } };

function proxied(url: string) {
  const proxy = new URL(url);
  return { ...noProxies, https: proxy, http: proxy };
}

function open(t: Test, destination: string, proxies: ProxySettings, options: OutgoingOptions = LIMITS) {
  const dispatcher = createDispatcher(destination, proxies, options);
  t.teardown(() => dispatcher.destroy());
  return async (path = '/') => {
    const { statusCode, body } = await dispatcher.request({ origin: destination, path, method: 'POST', body: 'x' });
    await body.dump();
    await new Promise(setImmediate);
    return statusCode;
  };
}

t.test('without a proxy, requests go to their destination directly', async (t) => {
  const { url, visits } = await startLoopbackServer(t);
  t.equal(await open(t, url, noProxies)('/a'), 200);
  t.match(visits, [{ path: '/a', body: 'x' }]);
});

t.test('https: one tunnel, kept alive, with the certificate of the destination checked', async (t) => {
  const server = await startSignalWire();
  t.teardown(() => server.close());
  const proxy = await startHttpProxy(t);
  const origin = `https://${server.host}`;
  const send = open(t, origin, proxied(proxy.url), { ...LIMITS, connect: { timeout: 5_000, ca: server.ca } });
  t.strictSame([await send('/a'), await send('/b'), await send('/c')], [201, 201, 201]);
  t.strictSame(proxy.tunnels, [server.host]);
  t.strictSame(proxy.credentials, [undefined]);
  t.equal(server.connections, 1);
  const distrustful = open(t, origin, proxied(proxy.url));
  await t.rejects(distrustful(), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  t.equal(server.requests.length, 3);
});

t.test('http: the proxy gets the request itself', async (t) => {
  const { url, visits } = await startLoopbackServer(t);
  const proxy = await startHttpProxy(t);
  const send = open(t, url, proxied(proxy.url));
  t.strictSame([await send('/a?b=c'), await send('/d')], [200, 200]);
  t.strictSame(proxy.forwarded, [`${url}/a?b=c`, `${url}/d`]);
  t.strictSame(proxy.tunnels, []);
  t.match(visits, [{ path: '/a?b=c', headers: { host: new URL(url).host }, body: 'x' }, { path: '/d' }]);
});

t.test('the credentials of the URL go to the proxy, and only there', async (t) => {
  const server = await startSignalWire();
  t.teardown(() => server.close());
  const plain = await startLoopbackServer(t);
  const proxy = await startHttpProxy(t);
  const withCredentials = (userinfo: string) => proxied(proxy.url.replace('//', `//${userinfo}@`));
  const options = { ...LIMITS, connect: { timeout: 5_000, ca: server.ca } };
  for (const [userinfo, decoded] of [
    ['anna:p%40ss%3Aword', 'anna:p@ss:word'],
    ['anna', 'anna:'],
    ['anna:', 'anna:'],
  ] as const) {
    const expected = `Basic ${Buffer.from(decoded).toString('base64')}`;
    await open(t, `https://${server.host}`, withCredentials(userinfo), options)();
    t.equal(proxy.credentials.at(-1), expected, userinfo);
    await open(t, plain.url, withCredentials(userinfo))();
    t.equal(proxy.credentials.at(-1), expected, userinfo);
  }
  for (const { headers } of [...server.requests, ...plain.visits]) t.notOk('proxy-authorization' in headers);
});

t.test('a proxy with an IPv6 address, and a destination that only the proxy can resolve', async (t) => {
  const server = await startSignalWire();
  t.teardown(() => server.close());
  const proxy = await startHttpProxy(t, { host: '::1', routes: { 'localhost.:443': server.host } });
  const send = open(t, 'https://localhost.', proxied(proxy.url), {
    ...LIMITS,
    connect: { timeout: 5_000, ca: server.ca },
  });
  t.equal(await send(), 201);
  t.strictSame(proxy.tunnels, ['localhost.:443']);
});

t.test('what fails at the proxy is told apart from what fails at the destination', async (t) => {
  const { url, visits } = await startLoopbackServer(t);
  const proxy = await startHttpProxy(t);
  const https = url.replace('http:', 'https:');
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => 'none',
      (error: unknown) => proxyFailure(error) ?? (error as NodeJS.ErrnoException).code,
    );
  for (const status of [403, 407, 502, 503]) {
    proxy.behave(status);
    t.equal(await failure(open(t, https, proxied(proxy.url))()), `http_${status}`, 'a tunnel');
  }
  proxy.behave(407);
  t.equal(await failure(open(t, url, proxied(proxy.url))()), 'http_407', 'a request in absolute-form');
  proxy.behave('hang');
  const impatient = { ...LIMITS, connect: { timeout: 50 } };
  t.equal(await failure(open(t, https, proxied(proxy.url), impatient)()), 'UND_ERR_HEADERS_TIMEOUT');
  const closed = 'http://127.0.0.1:1';
  t.equal(await failure(open(t, https, proxied(closed))()), 'ECONNREFUSED');
  t.equal(await failure(open(t, url, proxied(closed))()), 'ECONNREFUSED');
  t.equal(proxyFailure(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })), undefined);
  t.equal(proxyFailure('text'), undefined);
  t.equal(visits.length, 0);
});
