import { type FileHandle, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { foldUsername } from '../username.ts';
import type { User } from './directory.ts';
import { userFaults } from './user-fields.ts';
import { parseUsersFile, type StoredUser, storedUserFaults, UserListError } from './user-list.ts';

export interface AddUserOptions extends StoredUser {
  /** The users file, made if there is none. */
  readonly path: string;
}

/** Hashes are for the service's own eyes. */
const newFileMode = 0o600;

/**
 * What is wrong with a user before there is a password: faults that are better told than a password asked for.
 *
 * @returns one sentence each
 */
export function newUserFaults(user: User): string[] {
  return userFaults({ ...user });
}

/**
 * Adds one user to the users file. A reader sees the old file or the new one, never half of it. A file that is there
 * keeps its owner and mode, so that the service that reads it still can; a new one is the caller's alone (0600).
 *
 * @throws UserListError when the user has faults
 * @throws Error when the username is taken, the file as it is has faults, another user is being added at the same
 *   time, or the file system refuses
 */
export async function addUser({ path, ...user }: AddUserOptions): Promise<void> {
  const faults = storedUserFaults(user);
  if (faults.length > 0) throw new UserListError(faults);

  // Behind a symbolic link, the file itself is to be replaced and not the link.
  const target = await unlessMissing(realpath(path), path);
  const temporary = `${target}.new`;
  const file = await open(temporary, 'wx', newFileMode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    // The one temporary name is a lock as well: two who read the same list would lose one of the two new users.
    throw new Error(`${temporary} exists: another user is being added, or was when it broke off; then delete the file`);
  });
  try {
    try {
      await write(file, withUser(await readUsers(target), user));
      await keepOwnerAndMode(file, target);
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary);
    throw error;
  }
}

async function readUsers(path: string): Promise<StoredUser[]> {
  const bytes = await unlessMissing(readFile(path), Buffer.from('[]'));
  try {
    return parseUsersFile(bytes);
  } catch (error) {
    throw new Error(`Users file ${path} is left as it is: ${(error as UserListError).message}`);
  }
}

function withUser(users: readonly StoredUser[], user: StoredUser): StoredUser[] {
  if (users.some(({ username }) => foldUsername(username) === foldUsername(user.username))) {
    throw new Error(`A user ${JSON.stringify(user.username)} exists already (upper and lower case are one)`);
  }
  return [...users, user];
}

async function write(file: FileHandle, users: readonly StoredUser[]): Promise<void> {
  await file.writeFile(`${JSON.stringify(users, null, 2)}\n`);
  // Or a power cut could leave the new name with nothing behind it.
  await file.sync();
}

async function keepOwnerAndMode(file: FileHandle, model: string): Promise<void> {
  const [before, now] = await Promise.all([unlessMissing(stat(model), null), file.stat()]);
  if (before === null) return;
  if (before.uid !== now.uid || before.gid !== now.gid) await file.chown(before.uid, before.gid);
  await file.chmod(before.mode & 0o777);
}

/** What the file system says, or the other value where there is no file yet. */
async function unlessMissing<Value, Other>(found: Promise<Value>, other: Other): Promise<Value | Other> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return other;
    throw error;
  }
}
