import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import ts from 'typescript';
import { makeApiKey } from '../../src/verifications/api-keys.ts';
import { seededRandom } from '../support/build-app.ts';
import { program } from '../support/programs.ts';
import { childEnv, startService } from '../support/service.ts';

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

/** The command that runs each example, or null where its language is missing. */
const examples: Record<string, (t: Test) => string[] | null> = {
  'verify.sh': (t) => (program(t, 'curl') === null ? null : ['/bin/sh', example('verify.sh')]),
  'verify.py': (t) => withProgram(program(t, 'python3'), 'verify.py'),
  'verify.php': (t) => withProgram(program(t, 'php'), 'verify.php'),
  'verify.ts': (t) => {
    // Not every Node.js that we support leaves types away by itself.
    const source = readFileSync(example('verify.ts'), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    });
    const path = join(t.testdir({}), 'verify.mjs');
    writeFileSync(path, outputText);
    return [process.execPath, path];
  },
};

function withProgram(path: string | null, name: string): string[] | null {
  return path === null ? null : [path, example(name)];
}

t.test('each example proves a number, and reports why it could not', async (t) => {
  const { key, entry } = makeApiKey('shop', seededRandom());
  const numbers = { TEST_NUMBERS: '+15550100001:123456', TEST_NUMBERS_UNTIL: '2099-01-01' };
  const service = await startService(t, { API_KEYS: entry, ...numbers });
  for (const [name, commandOf] of Object.entries(examples)) {
    await t.test(`examples/${name}`, async (t) => {
      const command = commandOf(t);
      if (command === null) return;
      const run = (code: string, number: string, apiKey = key) =>
        runProgram([...command, number], { DOORCODE_URL: service.url, DOORCODE_KEY: apiKey }, `${code}\n`);

      t.match(await run('123456', '+15550100001'), { output: 'approved\n', exitCode: 0 });
      for (const [problem, code, number, apiKey] of [
        ['otp_invalid', '000000', '+15550100001'],
        ['invalid_request', '123456', '5550100001'],
        ['not_authenticated', '123456', '+15550100001', 'dk_unknown'],
      ] as const) {
        const { errors, exitCode, output } = await run(code, number, apiKey);
        t.match(errors, problem, problem);
        t.equal(output, '', problem);
        t.not(exitCode, 0, problem);
      }
    });
  }
});

async function runProgram([file = '', ...args]: readonly string[], env: Record<string, string>, input: string) {
  const child = spawn(file, args, { env: childEnv(env) });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdin.on('error', () => {}).end(input);
  const [exitCode] = await once(child, 'close');
  return { output, errors, exitCode };
}
