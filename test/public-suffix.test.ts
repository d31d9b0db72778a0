import t from 'tap';
import { publicSuffixFault } from '../src/public-suffix.ts';
import { serve } from '../src/serve.ts';

const fault = (cookieDomain: string | undefined, host = `login.app.${cookieDomain}`) =>
  publicSuffixFault({ origin: `https://${host}`, cookieDomain });

t.test('a public suffix is a fault that names the setting', async (t) => {
  for (const domain of ['duckdns.org', 'github.io', 'co.uk', 'xn--55qx5d.cn', 'kawasaki.jp', 'x.kawasaki.jp'])
    t.match(await fault(domain), new RegExp(`^COOKIE_DOMAIN: ${domain} is a public suffix`), domain);
});

t.test('a domain below one, an unknown one, and none at all are not', async (t) => {
  const good = ['example.com', 'app.duckdns.org', 'example.co.uk', 'city.kawasaki.jp', 'corp.internal', 'home.lan'];
  for (const domain of good) t.equal(await fault(domain), undefined, domain);
  t.equal(await fault(undefined, 'login.example.com'), undefined);
});

t.test('a suffix that is the host of ORIGIN itself works for that host', async (t) => {
  t.equal(await fault('github.io', 'github.io'), undefined);
});

t.test('it ends the start like every fault of the configuration', async (t) => {
  const env = { PORT: '0', ORIGIN: 'https://me.duckdns.org', COOKIE_DOMAIN: 'duckdns.org', OTP_DIGITS: '3' };
  await t.rejects(serve({ env, write: () => {} }), {
    name: 'ConfigError',
    faults: [/^OTP_DIGITS: /, /^COOKIE_DOMAIN: duckdns\.org is a public suffix/],
  });
  await t.rejects(
    serve({ env: { ...env, ORIGIN: 'https://me.com', COOKIE_DOMAIN: 'com', OTP_DIGITS: '6' }, write: () => {} }),
    {
      name: 'ConfigError',
      faults: [/^COOKIE_DOMAIN: /],
    },
  );
});
