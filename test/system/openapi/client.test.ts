import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import t from 'tap';
import ts from 'typescript';
import { makeApiKey } from '../../../src/verifications/api-keys.ts';
import { seededRandom } from '../../support/build-app.ts';
import { startService } from '../../support/service.ts';

/** Written by hand, against types and a client that are made from the document alone. */
const PROGRAM = `import createClient from 'openapi-fetch';
import type { components, paths } from './api.ts';

export async function prove(baseUrl: string, key: string, to: string, codes: readonly string[]): Promise<string[]> {
  const client = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${key}\` } });
  const said: string[] = [];
  const asked = await client.POST('/verifications', { body: { to } });
  if (asked.error !== undefined) return [codeOf(asked.error)];
  said.push(asked.data.status, asked.data.channel);
  for (const code of codes) {
    const { data, error } = await client.POST('/verifications/check', { body: { id: asked.data.id, code } });
    if (data !== undefined) said.push(data.status satisfies 'approved');
    else if (error.code === 'otp_invalid') said.push(\`\${error.attemptsLeft} left\`);
    else said.push(codeOf(error));
  }
  return said;
}

const codeOf = ({ code }: components['schemas']['Problem']): string => code;
`;

/** Mistakes that the types must not let through. */
const MISTAKES = [
  ["client.POST('/verifications', { body: { to } })", "client.POST('/verifications', { body: { number: to } })"],
  ["client.POST('/verifications/check'", "client.POST('/verifications/try'"],
  ["satisfies 'approved'", "satisfies 'pending'"],
  ["error.code === 'otp_invalid'", "error.code === 'delivery_failed'"],
] as const;

t.test('a generated client proves a number', { timeout: 120_000 }, async (t) => {
  const { key, entry } = makeApiKey('shop', seededRandom());
  const numbers = { TEST_NUMBERS: '+15550100001:123456', TEST_NUMBERS_UNTIL: '2099-01-01' };
  const service = await startService(t, { API_KEYS: entry, ...numbers });
  const types = astToString(await openapiTS(new URL('/openapi.json', service.url)));

  // In a folder below ours, where imports find the packages.
  const folder = t.testdir({ 'package.json': '{"type":"module"}', 'api.ts': types, 'client.ts': PROGRAM });
  const mistakes = MISTAKES.map(([right, wrong], index) => {
    const path = join(folder, `mistake-${index}.ts`);
    t.ok(PROGRAM.includes(right));
    writeFileSync(path, PROGRAM.replace(right, wrong));
    return path;
  });
  const checked = ts.createProgram([join(folder, 'client.ts'), ...mistakes], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  });
  const faults = ts.getPreEmitDiagnostics(checked);
  const faultsOf = (name: string) => faults.filter(({ file }) => file?.fileName.endsWith(name));
  t.strictSame(
    [...faultsOf('client.ts'), ...faultsOf('api.ts')].map(({ messageText }) => messageText),
    [],
    'the types fit',
  );
  for (const [index, [, wrong]] of MISTAKES.entries()) t.not(faultsOf(`mistake-${index}.ts`).length, 0, wrong);

  const { outputText } = ts.transpileModule(PROGRAM, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  writeFileSync(join(folder, 'client.js'), outputText);
  const { prove } = await import(pathToFileURL(join(folder, 'client.js')).href);
  t.strictSame(await prove(service.url, key, '+15550100001', ['000000', '123456', '123456']), [
    'pending',
    'sms',
    '4 left',
    'approved',
    'otp_used',
  ]);
  t.strictSame(await prove(service.url, 'dk_unknown', '+15550100001', []), ['not_authenticated']);
});
