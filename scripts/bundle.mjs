// Puts what every start loads into few files: see docs/adr/0012. `dist/main.js` becomes the bundle's first file; the
// modules that the compiler wrote stay beside it, for tests and benchmarks.
import { chmodSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const MAIN = join(DIST, 'main.js');

/** Packages that every start needs, bundled with all that they need; the others are loaded when they are called for. */
const BUNDLED = [
  '@fastify/cookie',
  '@fastify/proxy-addr',
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
      const from = JSON.stringify(`./${relative(DIST, path).replaceAll(sep, '/')}`);
      return { contents: text.replaceAll('import.meta.url', `new URL(${from}, import.meta.url)`) };
    });
  },
};

if (readFileSync(MAIN, 'utf8').includes('createRequireOfBundle')) {
  console.error('dist/main.js is a bundle already: npm run build begins with the compiler');
  process.exit(1);
}
const { metafile, outputFiles } = await build({
  entryPoints: [MAIN],
  outdir: DIST,
  // Read from where it is written to.
  allowOverwrite: true,
  write: false,
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
refuseStrangers(Object.values(metafile.outputs));
// `main.js` comes last and at once, so that a start meanwhile finds all it asks for.
for (const { path, contents } of outputFiles.filter(({ path }) => path !== MAIN)) writeFileSync(path, contents);
writeFileSync(`${MAIN}.new`, outputFiles.find(({ path }) => path === MAIN).contents);
chmodSync(`${MAIN}.new`, 0o755);
renameSync(`${MAIN}.new`, MAIN);
for (const name of readdirSync(DIST)) {
  if (name.startsWith('chunk-') && !outputFiles.some(({ path }) => path === join(DIST, name))) rmSync(join(DIST, name));
}
writeFileSync(join(DIST, 'licenses.txt'), licences(Object.keys(metafile.inputs)));

/**
 * What stays outside is looked for from `dist/`, so it has to be a dependency of ours, not only of a library.
 *
 * @param {readonly { imports: readonly { path: string, external?: boolean }[] }[]} outputs
 */
function refuseStrangers(outputs) {
  const { dependencies } = JSON.parse(readFileSync(join(DIST, '../package.json'), 'utf8'));
  const packages = outputs
    .flatMap(({ imports }) =>
      imports.filter(({ path, external }) => external && !path.startsWith('node:') && !isBuiltin(path)),
    )
    .map(({ path }) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path);
  const strangers = [...new Set(packages)].filter((name) => !(name in dependencies));
  if (strangers.length > 0) throw new Error(`not in dependencies: ${strangers.join(', ')}`);
}

/**
 * The licences of what is in the bundle, as they ask for in copies.
 *
 * @param {readonly string[]} inputs
 */
function licences(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license, author, repository } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const source = `Copyright ${author?.name ?? author}, ${repository?.url ?? repository}\n`;
    return `${name} ${version}, ${license}\n\n${file === undefined ? source : readFileSync(`${folder}/${file}`, 'utf8')}`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}
