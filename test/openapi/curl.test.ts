import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { curlCommand } from '../../src/openapi/curl.ts';
import { docsPageOf } from '../../src/openapi/docs-page.ts';
import type { ApiDocument, DocumentedOperation } from '../../src/openapi/document.ts';
import { makeApiKey } from '../../src/verifications/api-keys.ts';
import { seededRandom } from '../support/build-app.ts';
import { program } from '../support/programs.ts';
import { startService } from '../support/service.ts';

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

t.test('every command of the page runs as it stands, and is answered as documented', async (t) => {
  const bash = program(t, 'bash');
  if (bash === null || program(t, 'curl') === null) return;
  const { key, entry } = makeApiKey('shop', seededRandom());
  const service = await startService(t, {
    API_KEYS: entry,
    TEST_NUMBERS: '+15550100001:123456',
    TEST_NUMBERS_UNTIL: '2099-01-01',
  });
  const document = (await (await service.get('/openapi.json')).json()) as ApiDocument;
  t.strictSame(document.servers, [{ url: service.url }], 'also where the port was any');
  const options = { cwd: t.testdir({}), env: { PATH: process.env['PATH'] ?? '', DOORCODE_KEY: key } };
  const statuses: Record<string, number> = {};
  for (const { sections } of docsPageOf(document).chapters) {
    for (const { curl, failures, id, successes } of sections) {
      const command = curl.replace('curl ', "curl -s -o /dev/null -w '%{http_code}' ");
      const { stdout } = await promisify(execFile)(bash, ['-euo', 'pipefail', '-c', command], options);
      t.ok(
        [...successes, ...failures].some(({ status }) => status === stdout),
        `${curl}: ${stdout}`,
      );
      statuses[id] = Number(stdout);
    }
  }
  t.match(statuses, {
    login: 200,
    otp: 403,
    session: 401,
    requestVerification: 201,
    checkVerification: 401,
    docs: 200,
  });
});
