import t from 'tap';
import { docsPageOf, typeOf } from '../../src/openapi/docs-page.ts';
import { groups } from '../../src/openapi/operation.ts';
import { everyRouteDocument } from '../support/documented.ts';

t.test('the page has every operation of the document, part by part', async (t) => {
  const document = await everyRouteDocument();
  const { chapters } = docsPageOf(document);
  t.strictSame(
    chapters.map(({ name }) => name.toLowerCase()),
    Object.keys(groups),
  );
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  t.strictSame(
    chapters.flatMap(({ sections }) => sections.map(({ id }) => id)).toSorted(),
    operations.map(({ operationId }) => operationId).toSorted(),
  );
});

t.test('a section says what an operation needs, takes and answers, and how it fails', async (t) => {
  const sections = docsPageOf(await everyRouteDocument()).chapters.flatMap((chapter) => chapter.sections);
  const section = (id: string) => sections.find((candidate) => candidate.id === id);
  t.match(section('checkVerification'), {
    method: 'POST',
    path: '/verifications/check',
    needs: 'Needs an API key, as bearer token.',
    takes: ['application/json', 'application/x-www-form-urlencoded'],
    fields: [
      { name: 'id', where: 'body', required: true, type: 'string, at most 511 characters' },
      { name: 'code', required: true, type: 'string like ^[0-9]{6}$' },
      { name: 'to', required: false },
    ],
    successes: [
      { status: '200', types: ['application/json'], headers: [], fields: [{ name: 'status' }, { name: 'to' }] },
    ],
  });
  t.match(section('checkVerification')?.successes[0]?.example, /^\{\n {2}"status": "approved"/);
  t.ok(section('otp')?.failures.some(({ status, code }) => status === '410' && code === 'otp_expired'));
  t.equal(section('logout')?.needs, 'Reads the session cookie or the challenge cookie, if there is one.');
  t.equal(section('healthz')?.needs, '');
  t.strictSame(section('healthz')?.fields, []);
  t.match(section('loginPage')?.fields, [{ name: 'next', where: 'query', required: false }]);
});

t.test('what failures have in common is told once', async (t) => {
  const { description, problem } = docsPageOf(await everyRouteDocument());
  t.match(description, /^One-time passwords/);
  t.match(problem.description, /RFC 9457/);
  t.strictSame(
    problem.fields.map(({ name, required }) => [name, required]),
    [
      ['status', true],
      ['code', true],
      ['title', true],
      ['detail', false],
      ['attemptsLeft', false],
      ['retryAfter', false],
    ],
  );
  t.equal(problem.fields[1]?.type, 'string', 'not a list of all codes');
});

t.test('a type is told in a few words', (t) => {
  for (const [schema, words] of [
    [{ const: 'ok' }, '"ok"'],
    [{ type: 'string', enum: ['sms', 'voice'] }, '"sms" or "voice"'],
    [{ type: 'array', items: { type: 'string' } }, 'list of string'],
    [{ type: 'string', format: 'date-time' }, 'string, date-time'],
    [{ type: 'string', pattern: '^a$' }, 'string like ^a$'],
    [{ type: 'string', maxLength: 3 }, 'string, at most 3 characters'],
    [{ type: 'integer' }, 'integer'],
    [{}, 'any'],
  ] as const) {
    t.equal(typeOf(schema), words);
  }
  t.end();
});
