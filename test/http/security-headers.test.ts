import Fastify from 'fastify';
import helmet from 'helmet';
import t from 'tap';
import { registerSecurityHeaders } from '../../src/http/security-headers.ts';

t.test('the headers are those that helmet sets with each request', async (t) => {
  for (const options of [
    {},
    { strictTransportSecurity: false, frameguard: { action: 'deny' } },
    { contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"] } } },
  ] as const) {
    const expected: Record<string, string> = {};
    const setHeader = (name: string, value: string) => {
      expected[name.toLowerCase()] = value;
    };
    helmet(options as object)({} as never, { setHeader, removeHeader() {} } as never, () => {});

    const app = Fastify();
    registerSecurityHeaders(app, options as object);
    app.get('/', async () => 'hello');
    for (const url of ['/', '/', '/nowhere']) t.match((await app.inject(url)).headers, expected, url);
    t.ok(Object.keys(expected).length > 5);
  }
});

t.test('what helmet does not take ends the start', async (t) => {
  const wrong = { contentSecurityPolicy: { directives: { 'default-src': ['self'] } } };
  t.throws(() => registerSecurityHeaders(Fastify(), wrong), /default-src|self/);
});

t.test('an answer may have its own', async (t) => {
  const app = Fastify();
  registerSecurityHeaders(app, {});
  app.get('/', async (_request, reply) => reply.header('referrer-policy', 'origin').send('hello'));
  t.equal((await app.inject('/')).headers['referrer-policy'], 'origin');
});
