import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hash } from '@node-rs/argon2';

/** An argon2id hash of the least cost there is, so that tests are not about waiting. */
export function cheapHash(password: string, passes = 1): Promise<string> {
  return hash(password, { algorithm: 2, memoryCost: 8, timeCost: passes, parallelism: 1 });
}

/** An entry as the users file has it: user `Bob`, password `correct horse`, unless told otherwise. */
export async function bob(changes: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  return { username: 'Bob', passwordHash: await cheapHash('correct horse'), phone: '+15550100101', ...changes };
}

/**
 * Puts a new file in the place of the old one. Written over, it could have the time of the old one: file systems count
 * in ticks of some milliseconds, and tests do not wait for the next.
 *
 * @returns the path of `users.json` in the folder, which then holds the entries (or, given a string, that text)
 */
export async function writeUsers(folder: string, entries: readonly unknown[] | string): Promise<string> {
  const path = join(folder, 'users.json');
  await writeFile(`${path}.tmp`, typeof entries === 'string' ? entries : JSON.stringify(entries));
  await rename(`${path}.tmp`, path);
  return path;
}
