import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { docsPageOf } from '../../../src/openapi/docs-page.ts';
import type { ApiDocument } from '../../../src/openapi/document.ts';
import { makeApiKey } from '../../../src/verifications/api-keys.ts';
import { seededRandom } from '../../support/build-app.ts';
import { program } from '../../support/programs.ts';
import { startService } from '../../support/service.ts';

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
