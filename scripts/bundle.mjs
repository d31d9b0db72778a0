// Puts what every start loads into few files: looking for, reading and compiling hundreds of modules one by one takes
// Node.js a third of its start. `dist/main.js` becomes the bundle's first file; the modules that the compiler wrote stay
// beside it, for tests and benchmarks.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { build } from 'esbuild';

const DIST = new URL('../dist/', import.meta.url).pathname;

/** Packages that every start needs, bundled with all that they need; the others are loaded when they are called for. */
const BUNDLED = [
  '@fastify/cookie',
  '@fastify/formbody',
  '@fastify/secure-session',
  '@fastify/under-pressure',
  '@fastify/view',
  '@otplib/plugin-base32-scure',
  '@otplib/plugin-crypto-node',
  '@otplib/totp',
  'eta',
  'fastify',
  'helmet',
  'ipaddr.js',
  'negotiator',
  'otplib/functional',
  'pino',
  // By every sender that is not the console.
  'undici',
];

/** Has machine code, which it finds by where it is itself. */
const NATIVE = 'sodium-native';

const isOurs = (path) => path.startsWith(DIST);

/** @type {import('esbuild').Plugin} */
const ours = {
  name: 'ours',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
      const stays = path === NATIVE || (isOurs(importer) && !BUNDLED.includes(path) && !path.startsWith('node:'));
      return stays ? { path, external: true } : undefined;
    });
    // What a module looks for beside itself is still there, although the module has moved.
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!isOurs(path) || !text.includes('import.meta.url')) return undefined;
      const from = JSON.stringify(`./${relative(DIST, path)}`);
      return { contents: text.replaceAll('import.meta.url', `new URL(${from}, import.meta.url)`) };
    });
  },
};

for (const name of readdirSync(DIST)) if (name.startsWith('chunk-')) rmSync(DIST + name);
const { metafile } = await build({
  entryPoints: [`${DIST}main.js`],
  outdir: DIST,
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  // All names begin alike, so that the next build can tell what is left of this one.
  chunkNames: 'chunk-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // CommonJS in an ES module: what it requires of Node.js.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
  plugins: [ours],
});
chmodSync(`${DIST}main.js`, 0o755);
writeFileSync(`${DIST}licenses.txt`, licences(Object.keys(metafile.inputs)));

/**
 * The licences of what is in the bundle, as they ask for in copies.
 *
 * @param {readonly string[]} inputs
 */
function licences(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version}, ${license}\n\n${file === undefined ? '' : readFileSync(`${folder}/${file}`, 'utf8')}`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}
