import t from 'tap';
import { isLoopbackHost, isLoopbackUrl } from '../src/loopback.ts';

t.test('this machine, by all its names', async (t) => {
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', 'LOCALHOST', '::1', '[::1]', '[0:0:0:0:0:0:0:1]']) {
    t.ok(isLoopbackHost(host), host);
  }
});

t.test('no other', async (t) => {
  for (const host of [
    '',
    'example.com',
    'localhost.example.com',
    '192.0.2.1',
    '0.0.0.0',
    '[2001:db8::1]',
    '127.0.0.1.',
  ]) {
    t.notOk(isLoopbackHost(host), host);
  }
});

t.test('a URL is called only on this machine, over HTTP, without credentials', async (t) => {
  for (const url of ['http://127.0.0.1:3000/x?y=1', 'https://localhost/', 'http://[::1]:3000', 'http://2130706433/']) {
    t.ok(isLoopbackUrl(url), url);
  }
  for (const url of [
    '',
    'nonsense',
    '/path',
    'ftp://127.0.0.1/',
    'http://example.com/',
    'http://127.0.0.1@example.com/',
    'http://user:word@127.0.0.1/',
    'http://192.0.2.1/',
  ]) {
    t.notOk(isLoopbackUrl(url), url);
  }
});
