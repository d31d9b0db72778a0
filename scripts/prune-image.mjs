// Removes from node_modules what is never loaded when the service runs; the image is built without it.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Types, sources, source maps, prose and tests. Node runs no TypeScript below node_modules; `.bare` is another runtime. */
const FILES = /\.(?:[cm]?ts|map|md|markdown|bare|test\.[cm]?js)$/i;
const LICENCES = /^(?:licen[cs]e|copying|notice)/i;

/** Folders that a package carries beside its code. */
const FOLDERS = new Set(['.github', 'benchmark', 'benchmarks', 'docs', 'example', 'examples', 'test', 'tests']);

/** What single packages bring in several forms, of which one is loaded. */
const PACKAGES = {
  // The bundle holds all of lib/ and src/; we import its ES module.
  '@signalwire/compatibility-api': ['lib', 'src', 'dist/index.node.js'],
  // libphonenumber-js/min, /max and /examples.mobile are made of their folders, core/, es6/ and files beside them.
  'libphonenumber-js': ['build', 'bundle', 'es6-modern', 'mobile', 'source'],
};

const HOST = `${process.platform}-${process.arch}`;

// OpenTelemetry's packages have each module three times; Node loads `build/src`.
const TELEMETRY = join('node_modules', '@opentelemetry');
for (const name of existsSync(TELEMETRY) ? readdirSync(TELEMETRY) : []) {
  for (const form of ['esm', 'esnext']) remove(join(TELEMETRY, name, 'build', form));
}
for (const [name, paths] of Object.entries(PACKAGES)) {
  for (const path of paths) remove(join('node_modules', name, path));
}
prunePackages('node_modules');

/** @param {string} folder a node_modules folder, or a scope in one */
function prunePackages(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) continue;
    if (entry.name.startsWith('@')) prunePackages(path);
    else if (entry.name === '.bin') remove(path);
    else {
      for (const name of FOLDERS) remove(join(path, name));
      pruneFiles(path);
    }
  }
}

/** @param {string} folder a package, or a folder in one */
function pruneFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name === 'node_modules') prunePackages(path);
      else if (folder.endsWith('prebuilds') && entry.name !== HOST) remove(path);
      else pruneFiles(path);
    } else if (FILES.test(entry.name) && !LICENCES.test(entry.name)) remove(path);
  }
}

/** @param {string} path */
function remove(path) {
  rmSync(path, { recursive: true, force: true });
}
