import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LOADS = new URL('../support/loads.mjs', import.meta.url).href;

t.test('a start loads few modules, and none of a package but the number tables', async (t) => {
  const child = spawn(process.execPath, ['--import', LOADS, MAIN], {
    cwd: t.testdir({}),
    env: { PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Not its exit: what it has told may still be on its way then.
  const ended = once(child, 'close');
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  for await (const text of child.stdout.setEncoding('utf8')) if (String(text).includes('doorcode listens')) break;
  child.kill('SIGKILL');
  await ended;
  const loaded = [...told.matchAll(/^loaded (\S+)$/gm)].map(([, url = '']) => url);
  // The number tables are loaded right after the service listens, some of them before the signal arrives.
  const atStart = loaded.filter((url) => !url.includes('/node_modules/libphonenumber-js/'));
  t.strictSame(
    atStart.filter((url) => url.includes('/node_modules/')),
    [],
  );
  t.ok(atStart.length > 1 && atStart.length < 60, `${atStart.length} modules`);
});
