// Lets Node.js 20 run the tests' TypeScript, which later versions do by themselves; for scripts/test.mjs.
//
// Tap's own loader brings the compiler into the process of every test file, which costs a second for each. Here it is
// asked once for each version of a file, and what it said is kept.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const CACHE = fileURLToPath(new URL('../node_modules/.cache/strip-types/', import.meta.url));

// Tap's loader, which comes after this one, has nothing left to do.
process.env.TAP_TYPE_STRIP_ONLY = '1';
// Programs that a test starts are not TypeScript.
delete process.env.NODE_OPTIONS;
// The same module is the hooks, in a thread of theirs.
if (isMainThread) register(import.meta.url);

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.[cm]?ts(?:\?|$)/.test(url)) return nextLoad(url, context);
  return { format: 'module', shortCircuit: true, source: await javascriptOf(fileURLToPath(url)) };
}

/** @param {string} path */
async function javascriptOf(path) {
  const source = readFileSync(path, 'utf8');
  const kept = join(CACHE, createHash('sha256').update(path).update('\0').update(source).digest('hex'));
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    const { default: ts } = await import('typescript');
    const { outputText } = ts.transpileModule(source, {
      fileName: path,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        inlineSourceMap: true,
        inlineSources: true,
      },
    });
    mkdirSync(CACHE, { recursive: true });
    // Several processes may be at it: each file appears whole.
    const written = `${kept}.${process.pid}`;
    writeFileSync(written, outputText);
    renameSync(written, kept);
    return outputText;
  }
}
