import t from 'tap';
import { BROWSER, testApp } from '../support/build-app.ts';

const ENV = {
  ORIGIN: 'https://login.example.com',
  ALLOWED_RETURN_ORIGINS: 'https://app.example.com,https://other.example.com:8443',
  TRUST_PROXY: 'loopback',
};
const asked = (uri: string, host = 'app.example.com', more: Record<string, string> = {}) => ({
  ...BROWSER,
  'x-forwarded-for': '192.0.2.1',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': host,
  'x-forwarded-uri': uri,
  'x-forwarded-method': 'GET',
  ...more,
});
const LOGIN = 'https://login.example.com/login?next=';

const linker = async (env: Record<string, string> = ENV) => {
  const { get } = await testApp({ env });
  return async (headers: Record<string, string>) => {
    const response = await get('/auth/redirect', undefined, headers);
    const link = String(response.headers['location']);
    if (response.statusCode !== 303 || !link.startsWith(LOGIN)) return response.statusCode;
    return decodeURIComponent(link.slice(LOGIN.length));
  };
};

t.test('a person comes back to what was asked for', async (t) => {
  const next = await linker();
  const app = 'https://app.example.com';
  t.equal(await next(asked('/inbox?a=1&b=2#c')), `${app}/inbox?a=1&b=2#c`);
  t.equal(await next(asked('/%E6%9D%8E?q=%26')), `${app}/%E6%9D%8E?q=%26`);
  t.equal(await next(asked('/x', 'other.example.com:8443')), 'https://other.example.com:8443/x');
  t.equal(await next(asked('/x', 'APP.example.com:443')), `${app}/x`);
  t.equal(await next(asked('/x?y', 'login.example.com')), '/x?y', 'a path, on our own origin');
  t.equal(await next(asked('/%6cogin', 'login.example.com')), '/%6cogin');
});

t.test('what was posted leads back to the front door', async (t) => {
  const next = await linker();
  t.equal(await next(asked('/send', undefined, { 'x-forwarded-method': 'POST' })), 'https://app.example.com/');
  t.equal(
    await next(asked('/seen', undefined, { 'x-forwarded-method': 'HEAD' })),
    401,
    'a browser shows no answer to HEAD',
  );
});

t.test('a chain of proxies may report several schemes and hosts, or an internal one', async (t) => {
  const next = await linker();
  const app = 'https://app.example.com/x';
  for (const proto of ['https, http', 'http, https', 'https,https', 'http', 'HTTPS', '', 'javascript'])
    t.equal(await next(asked('/x', undefined, { 'x-forwarded-proto': proto })), app, proto);
  for (const host of [
    'app.example.com, app.example.com',
    'app.example.com, app.internal:8080',
    'x.internal, app.example.com',
  ])
    t.equal(await next(asked('/x', host)), app, host);
  const { 'x-forwarded-proto': _, ...without } = asked('/x');
  t.equal(await next(without), app, 'no scheme');
  t.equal(await next(asked('/x', 'login.example.com', { 'x-forwarded-proto': 'http' })), '/x', 'our own host');
});

t.test(
  'a gateway that is not trusted, or names no client, leads back as well: the allowed origins decide',
  async (t) => {
    for (const TRUST_PROXY of ['', '192.0.2.0/24']) {
      const next = await linker({ ...ENV, TRUST_PROXY });
      t.equal(await next(asked('/x?y=z')), 'https://app.example.com/x?y=z');
      t.equal(await next(asked('/x', 'evil.example')), '/');
    }
    const { 'x-forwarded-for': _, ...anonymous } = asked('/x');
    t.equal(await (await linker())(anonymous), 'https://app.example.com/x');
  },
);

t.test('a path that Envoy appended to ours is where the user wants to go', async (t) => {
  const { get } = await testApp({ env: ENV });
  for (const [path, uri] of [
    ['/auth/redirect/inbox?a=1&b=2', '/inbox?a=1&b=2'],
    ['/auth/redirect/', '/'],
    ['/auth/inbox/1', '/inbox/1'],
    ['/auth/auth/x', '/auth/x'],
  ] as const) {
    const { headers } = await get(path, undefined, {
      ...BROWSER,
      host: 'app.example.com',
      'x-forwarded-proto': 'https',
    });
    const link = new URL(String(headers['location'] ?? headers['x-doorcode-login']));
    t.equal(link.searchParams.get('next'), `https://app.example.com${uri}`, path);
  }
});

t.test('a long deep link is kept, and a longer one leads to the same page or app', async (t) => {
  const next = await linker();
  const app = 'https://app.example.com';
  for (const length of [1024, 1500, 2000]) {
    const uri = `/inbox?q=${'x'.repeat(length)}`;
    t.equal(await next(asked(uri)), app + uri, `${length}`);
  }
  t.equal(await next(asked(`/inbox?q=${'x'.repeat(3000)}`)), `${app}/inbox`);
  t.equal(await next(asked(`/${'x'.repeat(3000)}`)), `${app}/`);
  t.equal(await next(asked(`/inbox?q=${'%20'.repeat(600)}`)), `${app}/inbox?q=${'%20'.repeat(600)}`);
  t.equal(await next(asked(`/inbox?q=${'/'.repeat(1900)}`)), `${app}/inbox`, 'too long once it is encoded');
});

t.test('international hosts and paths are read in every spelling', async (t) => {
  const next = await linker({ ...ENV, ALLOWED_RETURN_ORIGINS: 'https://bücher.example' });
  const raw = (text: string) => Buffer.from(text).toString('latin1');
  for (const host of ['xn--bcher-kva.example', raw('bücher.example'), 'b%C3%BCcher.example', 'XN--BCHER-KVA.example'])
    t.equal(await next(asked('/x', host)), 'https://xn--bcher-kva.example/x', host);
  t.equal(await next(asked(raw('/ü?q=ü'), raw('bücher.example'))), 'https://xn--bcher-kva.example/%C3%BC?q=%C3%BC');
});

t.test('whatever a gateway hands on, nobody is led elsewhere', async (t) => {
  const next = await linker();
  const uris = [
    ...['//evil.example', '/\\evil.example', '/\\/evil.example', 'https:evil.example', 'https://evil.example/'],
    ...[
      '@evil.example/',
      '.evil.example/',
      ':8443/',
      'javascript:alert(1)',
      '/\tx',
      '/\0x',
      '/a\\b',
      '',
      ' /x',
      '\t//evil.example',
    ],
    ...['/.//evil.example', '/x y'],
  ];
  for (const host of ['login.example.com', 'app.example.com']) {
    for (const uri of uris) {
      const to = await next(asked(uri, host));
      t.ok(
        to === '/' || to === 400 || new URL(String(to), LOGIN).origin === `https://${host}`,
        `${host} ${uri}: ${to}`,
      );
      t.notMatch(to, /^\/\/|^\/\\/);
    }
  }
  const hosts = [
    ...['evil.example', 'app.example.com.evil.example', 'app.example.com@evil.example', 'evil.example/app.example.com'],
    ...['app.example.com:8443', 'user:password@app.example.com', 'app.example.com/', 'app.example.com#', '', '[', '\t'],
    ...['app.example.com\\@evil.example', 'app.example.com?'],
  ];
  for (const host of hosts) {
    const to = await next(asked('/x', host));
    t.ok(to === '/', `host ${host}: ${to}`);
  }
  for (const proto of ['javascript', 'ftp', 'https:', 'https://evil.example', 'file']) {
    const to = await next(asked('/x', undefined, { 'x-forwarded-proto': proto }));
    t.equal(to, 'https://app.example.com/x', `scheme ${proto}`);
  }
});
