import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';

/**
 * Finds a program that a test cannot do without. Missing, it is a skip that says so; with `CI=true` a failure, so that
 * a green run has run everything.
 *
 * @returns the path, or null when the test is over and its caller must return
 */
export function program(t: Test, name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  const path = folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram);
  return path ?? missing(t, name);
}

/**
 * Debian's own Python with PyNaCl, from the package python3-nacl. Not the first python3 on the PATH: that one may have
 * been built by hand and know nothing of Debian's packages.
 *
 * @returns as `program` does
 */
export function pythonWithNacl(t: Test): string | null {
  return pythonWith(t, 'nacl', 'python3-nacl');
}

/**
 * The same with PyJWT and what it needs for Ed25519, from the packages python3-jwt and python3-cryptography.
 *
 * @returns as `program` does
 */
export function pythonWithJwt(t: Test): string | null {
  return pythonWith(t, 'jwt, cryptography', 'python3-jwt or python3-cryptography');
}

function pythonWith(t: Test, modules: string, packages: string): string | null {
  const python = '/usr/bin/python3';
  const { status } = spawnSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' });
  return status === 0 ? python : missing(t, packages);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function missing(t: Test, name: string): null {
  const message = `${name} is missing`;
  if (process.env['CI'] === 'true') t.fail(message);
  else t.pass(message, { skip: true });
  return null;
}
