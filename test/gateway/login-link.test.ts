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
  t.equal(await next(asked('/seen', undefined, { 'x-forwarded-method': 'HEAD' })), 'https://app.example.com/seen');
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
    ...['login.example.com, evil.example', 'app.example.com\\@evil.example', 'app.example.com?'],
  ];
  for (const host of hosts) {
    const to = await next(asked('/x', host));
    t.ok(to === '/', `host ${host}: ${to}`);
  }
  for (const proto of ['http', 'javascript', 'ftp', 'https:', 'https://evil.example', '', 'file']) {
    t.equal(await next(asked('/x', undefined, { 'x-forwarded-proto': proto })), '/', `scheme ${proto}`);
  }
  t.equal(await next(asked(`/${'x'.repeat(1024)}`)), '/');
});

t.test('who is not a trusted gateway is not believed', async (t) => {
  for (const env of [
    { ...ENV, TRUST_PROXY: '' },
    { ...ENV, TRUST_PROXY: '192.0.2.0/24' },
  ]) {
    t.equal(await (await linker(env))(asked('/x')), '/');
  }
  const { 'x-forwarded-for': _, ...anonymous } = asked('/x');
  t.equal(await (await linker())(anonymous), '/', 'nor a gateway that does not say for whom it asks');
});
