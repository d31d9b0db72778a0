import t from 'tap';
import { curlCommand } from '../../src/openapi/curl.ts';
import type { DocumentedOperation } from '../../src/openapi/document.ts';

const operation: DocumentedOperation = { operationId: 'some', tags: [], summary: 'Some', responses: {} };
const media = (example: unknown) => ({ schema: {}, example });

t.test('a command has what the operation asks for', (t) => {
  const origin = 'https://login.example.com';
  const command = (method: string, path: string, more: Partial<DocumentedOperation> = {}) =>
    curlCommand(origin, method, path, { ...operation, ...more });
  t.equal(command('GET', '/healthz'), 'curl https://login.example.com/healthz');
  t.equal(command('POST', '/x'), 'curl -X POST https://login.example.com/x');
  t.equal(command('GET', '/assets/{file}'), 'curl https://login.example.com/assets/FILE');
  t.equal(
    command('GET', '/x', { parameters: [{ name: 'token', in: 'query', required: true, schema: {} }] }),
    "curl 'https://login.example.com/x?token=TOKEN'",
  );
  t.equal(
    command('GET', '/x', { parameters: [{ name: 'next', in: 'query', schema: {} }], security: [{ session: [] }, {}] }),
    'curl -b jar https://login.example.com/x',
  );
  t.equal(
    command('POST', '/x', {
      security: [{ apiKey: [] }],
      requestBody: { required: true, content: { 'application/json': media({ name: "O'Neil" }) } },
    }),
    'curl -H "authorization: Bearer $DOORCODE_KEY" -H \'content-type: application/json\' ' +
      `-d '{"name":"O'\\''Neil"}' https://login.example.com/x`,
  );
  t.equal(
    command('POST', '/x', {
      requestBody: { required: true, content: { 'application/x-www-form-urlencoded': media({ a: '1', b: '2' }) } },
      responses: {
        200: { description: '', headers: { 'Set-Cookie': { schema: {} } }, content: { 'text/html': media('') } },
      },
    }),
    "curl -b jar -c jar -H 'accept: text/html' -d 'a=1&b=2' https://login.example.com/x",
  );
  t.end();
});
