import type { FastifyRequest } from 'fastify';
import t from 'tap';
import {
  forwardedHosts,
  forwardedSchemes,
  isForwardedByTrusted,
  originsOf,
  utf8Header,
} from '../../src/gateway/forwarded.ts';

const request = (headers: Record<string, string | string[]>, ips?: string[]) =>
  ({ headers, ips }) as unknown as FastifyRequest;

t.test('hosts and schemes are read from one header or from a list of a chain', async (t) => {
  t.strictSame(forwardedHosts(request({ 'x-forwarded-host': 'a.example.com', host: 'doorcode:3000' })), [
    'a.example.com',
  ]);
  t.strictSame(forwardedHosts(request({ 'x-forwarded-host': 'a.example.com, b.example.com:8443,' })), [
    'a.example.com',
    'b.example.com:8443',
  ]);
  t.strictSame(forwardedHosts(request({ 'x-forwarded-host': ['a.example.com', 'b.example.com'] })).length, 2);
  t.strictSame(forwardedHosts(request({ host: 'app.example.com' })), ['app.example.com']);
  t.strictSame(forwardedHosts(request({})), []);
  t.strictSame(forwardedSchemes(request({ 'x-forwarded-proto': 'HTTPS, http' })), ['https', 'http']);
  t.strictSame(forwardedSchemes(request({})), []);
});

t.test('a peer is trusted when it named a client', async (t) => {
  t.notOk(isForwardedByTrusted(request({})));
  t.notOk(isForwardedByTrusted(request({}, ['192.0.2.1'])));
  t.ok(isForwardedByTrusted(request({}, ['127.0.0.1', '192.0.2.1'])));
});

t.test('the origins of a host begin with the reported scheme, and are normalised', async (t) => {
  t.strictSame(originsOf('APP.example.com:443', ['http']), [
    'http://app.example.com:443',
    'https://app.example.com',
    'http://app.example.com:443',
  ]);
  t.equal(originsOf('bücher.example', ['https'])[0], 'https://xn--bcher-kva.example');
  t.equal(originsOf('b%C3%BCcher.example', [])[0], 'https://xn--bcher-kva.example');
  t.equal(originsOf('app.example.com', ['javascript'])[0], 'https://app.example.com');
  const bad = [
    '',
    'a/b',
    'a.example/',
    'user@a.example',
    'a.example?',
    'a.example#',
    'a b',
    '[',
    'a\\b',
    '*.a.example',
  ];
  for (const host of [...bad, 'a'.repeat(261)]) t.strictSame(originsOf(host, ['https']), [], host);
});

t.test('a header with UTF-8 in it is read as such, any other as it is', async (t) => {
  const raw = (text: string) => Buffer.from(text).toString('latin1');
  t.equal(utf8Header(raw('bücher.example')), 'bücher.example');
  t.strictSame(forwardedHosts(request({ 'x-forwarded-host': raw('bücher.example') })), ['bücher.example']);
  t.equal(utf8Header('app.example.com'), 'app.example.com');
  t.equal(utf8Header('caf\u00e9'), 'caf\u00e9', 'Latin-1');
});
