import t from 'tap';
import { EnvironmentReader } from '../src/environment.ts';
import { ignoredExemptions, proxyFor, proxyVariable, readProxies } from '../src/proxy-config.ts';

function read(env: Record<string, string>) {
  const reader = new EnvironmentReader(env);
  const proxies = readProxies(reader);
  return { proxies, faults: reader.faults };
}

const via = (env: Record<string, string>, destination: string) =>
  proxyFor(read(env).proxies, new URL(destination))?.href ?? 'direct';

t.test('which variable counts for which destination', async (t) => {
  const https = 'https://api.example.com/';
  const http = 'http://hooks.example.com/';
  t.equal(via({}, https), 'direct');
  t.equal(via({ HTTPS_PROXY: 'http://a:1' }, https), 'http://a:1/');
  t.equal(via({ HTTPS_PROXY: 'http://a:1' }, http), 'direct');
  t.equal(via({ HTTP_PROXY: 'http://b:2' }, https), 'direct');
  t.equal(via({ HTTP_PROXY: 'http://b:2' }, http), 'http://b:2/');
  t.equal(via({ ALL_PROXY: 'http://c:3' }, https), 'http://c:3/');
  t.equal(via({ ALL_PROXY: 'http://c:3', HTTP_PROXY: 'http://b:2' }, http), 'http://b:2/');
  for (const name of ['HTTPS_PROXY', 'ALL_PROXY']) {
    t.equal(via({ [name.toLowerCase()]: 'http://d:4', [name]: 'http://a:1' }, https), 'http://d:4/', name);
    t.equal(via({ [name.toLowerCase()]: ' ', [name]: 'http://a:1' }, https), 'http://a:1/', 'an empty one is not set');
  }
  t.equal(via({ HTTPS_PROXY: 'http://a:1', NO_PROXY: 'example.com', no_proxy: 'example.org' }, https), 'http://a:1/');
  t.equal(proxyVariable(new URL(https)), 'HTTPS_PROXY');
  t.equal(proxyVariable(new URL(http)), 'HTTP_PROXY');
});

t.test('the forms of a proxy', async (t) => {
  for (const [text, href] of [
    ['http://proxy.example.com:3128', 'http://proxy.example.com:3128/'],
    ['https://proxy.example.com', 'https://proxy.example.com/'],
    ['proxy.example.com:3128', 'http://proxy.example.com:3128/'],
    ['anna:p%40ss@proxy.example.com:3128', 'http://anna:p%40ss@proxy.example.com:3128/'],
    ['192.0.2.1:3128/', 'http://192.0.2.1:3128/'],
    ['http://[2001:db8::1]:3128', 'http://[2001:db8::1]:3128/'],
  ] as const) {
    t.equal(via({ HTTPS_PROXY: text }, 'https://api.example.com'), href, text);
  }
});

t.test('a proxy that is none is a fault by its name, without its value', async (t) => {
  const wrong = [
    'socks5://zebra:zebra@proxy.example.com:1080',
    'http://',
    'http://proxy.example.com:99999',
    'http://proxy.example.com:0',
    'http://proxy.example.com:3128/zebra',
    'http://proxy.example.com:3128?zebra',
    'http://zebra:%zz@proxy.example.com:3128',
    'zebra proxy',
    'http://pro xy',
    'ftp://proxy.example.com',
    'http:proxy.example.com',
  ];
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']) {
    for (const value of wrong) {
      const { faults, proxies } = read({ [name]: value });
      t.match(faults, [new RegExp(`^${name}: must be the URL of an HTTP proxy`)], value);
      t.notMatch(faults.join(), /zebra/);
      t.strictSame([proxies.https, proxies.http], [undefined, undefined]);
    }
  }
  const unused = { HTTPS_PROXY: 'http://a:1', HTTP_PROXY: 'http://a:1', ALL_PROXY: 'socks5://b' };
  t.strictSame(read(unused).faults, [], 'ALL_PROXY is not used');
});

t.test('a proxy with a password may stand in a file', async (t) => {
  const folder = t.testdir({ proxy: 'http://anna:password@proxy.example.com:3128\n' });
  t.equal(
    via({ HTTPS_PROXY_FILE: `${folder}/proxy` }, 'https://api.example.com'),
    'http://anna:password@proxy.example.com:3128/',
  );
});

t.test('what NO_PROXY exempts', async (t) => {
  const isExempt = (noProxy: string, destination: string) =>
    via({ ALL_PROXY: 'http://p:1', NO_PROXY: noProxy }, destination) === 'direct';
  for (const [noProxy, destination] of [
    ['*', 'https://api.example.com'],
    ['example.org, *', 'https://api.example.com'],
    ['api.example.com', 'https://api.example.com'],
    ['API.Example.COM', 'https://api.example.com'],
    ['api.example.com', 'https://API.example.com.'],
    ['api.example.com.', 'https://api.example.com'],
    ['example.com', 'https://api.example.com'],
    ['.example.com', 'https://api.example.com'],
    ['*.example.com', 'https://a.b.example.com'],
    ['example.org example.com', 'https://example.com'],
    ['a,,example.com,', 'https://example.com'],
    ['example.com:443', 'https://example.com'],
    ['example.com:80', 'http://example.com'],
    ['example.com:8443', 'https://example.com:8443'],
    ['localhost', 'http://localhost:4318'],
    ['127.0.0.1', 'https://127.0.0.1:8443'],
    ['127.0.0.1:8443', 'https://127.0.0.1:8443'],
    ['127.0.0.0/8', 'https://127.9.9.9'],
    ['192.0.2.0/24', 'http://192.0.2.77'],
    ['::1', 'https://[::1]:8443'],
    ['[::1]', 'https://[::1]'],
    ['[::1]:8443', 'https://[::1]:8443'],
    ['2001:DB8::/32', 'https://[2001:db8:1::5]'],
    ['bücher.example', 'https://xn--bcher-kva.example'],
  ] as const) {
    t.ok(isExempt(noProxy, destination), `${noProxy}: ${destination}`);
  }
  for (const [noProxy, destination] of [
    ['', 'https://api.example.com'],
    ['example.com', 'https://badexample.com'],
    ['example.com', 'https://example.com.evil.example'],
    ['api.example.com', 'https://example.com'],
    ['example.com:443', 'http://example.com'],
    ['example.com:8443', 'https://example.com'],
    ['127.0.0.1:8443', 'https://127.0.0.1'],
    ['0.0.1', 'https://127.0.0.1'],
    ['192.0.2.0/24', 'http://198.51.100.1'],
    ['192.0.2.1', 'http://192.0.2.10'],
    ['localhost', 'http://127.0.0.1'],
    ['::1', 'https://[2001:db8::2]'],
    ['.', 'https://example.com'],
  ] as const) {
    t.notOk(isExempt(noProxy, destination), `${noProxy}: ${destination}`);
  }
});

t.test('entries of NO_PROXY that cannot be understood are reported by their position', async (t) => {
  for (const bad of ['http://example.com', '192.0.2.0/33', 'example.com/x', '*example', '[::1', '10.0/16', 'a:b']) {
    t.strictSame(ignoredExemptions(read({ NO_PROXY: `localhost,${bad},127.0.0.1` }).proxies), [2], bad);
  }
});
