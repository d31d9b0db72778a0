import t from 'tap';
import { cookieReaches } from '../../src/gateway/cookie-scope.ts';

const ORIGIN = 'https://login.example.com';

t.test('without a cookie domain the session stays on its own host, whatever the port', async (t) => {
  const reaches = (target: string) => cookieReaches({ origin: ORIGIN, cookieDomain: undefined }, target);
  for (const target of [ORIGIN, 'https://login.example.com:8443']) t.ok(reaches(target), target);
  for (const target of ['https://example.com', 'https://app.example.com', 'https://a.login.example.com'])
    t.notOk(reaches(target), target);
});

t.test('with one it reaches that host and all below it', async (t) => {
  const reaches = (target: string) => cookieReaches({ origin: ORIGIN, cookieDomain: 'example.com' }, target);
  for (const target of [ORIGIN, 'https://example.com', 'https://app.example.com', 'https://a.b.example.com:8443'])
    t.ok(reaches(target), target);
  for (const target of ['https://badexample.com', 'https://example.com.evil.example', 'https://example.org'])
    t.notOk(reaches(target), target);
});
