import { readFile as readFileFromDisk, stat } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { foldUsername } from '../username.ts';
import { decoyHash, kindsOfHash } from './decoy.ts';
import type { Directory, User } from './directory.ts';
import type { PasswordChecker } from './password.ts';
import { parseUsersFile, UserListError } from './user-list.ts';

/** For how long one look at the file is good. */
const checkIntervalMs = 1000;

export interface FileDirectoryOptions {
  /** JSON, an array of `{ username, passwordHash, phone, locale? }`. May be a symbolic link, as in Kubernetes. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly passwords: PasswordChecker;
  /** For tests: the file's content. */
  readonly readFile?: (path: string) => Promise<Uint8Array>;
}

/** The users as they were in one version of the file. */
interface UserTable {
  readonly byName: ReadonlyMap<string, { readonly user: User; readonly passwordHash: string }>;
  /** What an unknown user's password is checked against; null when there is no user to resemble. */
  readonly decoy: string | null;
}

/**
 * Users from a JSON file that is read again when it changes: no restart to add or remove someone. At most once per
 * second a request looks whether the file is another one, and all requests wait for that look: whoever was removed is
 * out a second later, even if nobody came by for a day. A file that is broken or gone leaves the last good users in.
 *
 * @throws Error when the file cannot be read or has faults, all of which it names
 */
export async function createFileDirectory(options: FileDirectoryOptions): Promise<Directory> {
  const { path, clock, log, passwords } = options;
  const readFile = options.readFile ?? readFileFromDisk;

  let { version, users } = await loadFirst();
  /** The version after `version` that turned out to have faults, if any. */
  let brokenVersion: string | undefined;
  /** The trouble that was told last, so that each is told once. */
  let told: string | undefined;
  let checkedAt = clock();
  let checking: Promise<void> | undefined;

  async function load(): Promise<UserTable> {
    const list = parseUsersFile(await readFile(path));
    const kinds = kindsOfHash(list.map(({ passwordHash }) => passwordHash));
    if (kinds.length > 1) {
      log.warn({ path, kinds }, 'Password hashes differ in cost: the time of an answer can tell who is a user');
    }
    return {
      byName: new Map(
        list.map(({ passwordHash, ...user }) => [foldUsername(user.username), { user, passwordHash }] as const),
      ),
      decoy: kinds[0] === undefined ? null : decoyHash(kinds[0]),
    };
  }

  async function loadFirst() {
    try {
      // The version first: what is written between the two is then seen as a change, and not missed.
      const version = await versionOf(path);
      return { version, users: await load() };
    } catch (error) {
      throw new Error(`Users file ${path}: ${faultsOf(error).join('; ')}`);
    }
  }

  async function reload(): Promise<void> {
    let found: string | undefined;
    try {
      found = await versionOf(path);
      if (found === brokenVersion || (found === version && told === undefined)) return;
      if (found !== version) users = await load();
      version = found;
      brokenVersion = undefined;
      told = undefined;
      log.info({ path, users: users.byName.size }, 'Users file is read and in use');
    } catch (error) {
      const faults = faultsOf(error);
      // Faults in the text stay until it changes; a text that could not be read is tried again.
      brokenVersion = error instanceof UserListError ? found : undefined;
      const trouble = `${found} ${faults.join()}`;
      if (trouble === told) return;
      told = trouble;
      log.error({ path, faults }, 'Users file is broken, the users read before stay in use');
    }
  }

  function refresh(): Promise<void> {
    const sinceMs = clock() - checkedAt;
    // A clock that was set back must not put off the next look.
    if (checking === undefined && (sinceMs >= checkIntervalMs || sinceMs < 0)) {
      checkedAt = clock();
      checking = reload().finally(() => {
        checking = undefined;
      });
    }
    return checking ?? Promise.resolve();
  }

  return {
    async authenticate(username, password) {
      await refresh();
      const { byName, decoy } = users;
      const known = byName.get(foldUsername(username));
      const matches = await passwords.verify(known?.passwordHash ?? decoy, password);
      return known !== undefined && matches ? known.user : null;
    },
  };
}

/**
 * Differs when the file does: replaced (inode), written (size, times), or made readable (the status change time, the
 * only one that chmod moves). Follows links.
 */
async function versionOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/** What to tell the operator; nothing in it comes from the file's content. */
function faultsOf(error: unknown): readonly string[] {
  if (error instanceof UserListError) return error.faults;
  const { code, name } = error as NodeJS.ErrnoException;
  return [`cannot be read (${code ?? name})`];
}
