import Fastify from 'fastify';
import t from 'tap';
import { registerFormBody } from '../../src/http/form-body.ts';

async function parsed(payload: string) {
  const app = Fastify();
  registerFormBody(app);
  app.post('/', async ({ body }) => body);
  app.setErrorHandler((error: Error & { code?: string; detail?: string }, _request, reply) =>
    reply.code(400).send({ code: error.code, detail: error.detail }),
  );
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return (await app.inject({ method: 'POST', url: '/', headers, payload })).json();
}

t.test('fields are decoded as browsers encode them', async (t) => {
  t.strictSame(await parsed('a=1+2&b=%C3%A9%26&c=&d&a=x'), { a: ['1 2', 'x'], b: 'é&', c: '', d: '' });
  t.strictSame(await parsed('a=%4&b=%ff'), { a: '%4', b: '\ufffd' }, 'a broken escape stays as it is');
});

t.test('a form with too many fields is refused before it is parsed', async (t) => {
  const fields = (count: number) => Array.from({ length: count }, (_, index) => `f${index}=1`).join('&');
  t.equal(Object.keys(await parsed(fields(64))).length, 64);
  const refused = { code: 'invalid_request', detail: 'a form may have 64 fields at most' };
  for (const payload of [fields(65), 'a=1&'.repeat(65), '&'.repeat(64), 'a&'.repeat(4000)]) {
    t.strictSame(await parsed(payload), refused, payload.slice(0, 20));
  }
});
