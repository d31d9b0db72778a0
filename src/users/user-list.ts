import { decodeText } from '../text-file.ts';
import { foldUsername } from '../username.ts';
import type { User } from './directory.ts';
import { parameterLimits, readParameters } from './password-hash.ts';
import { type Fields, isFields, toUser, userFaults } from './user-fields.ts';

/** A user as the users file keeps it. */
export interface StoredUser extends User {
  /** Argon2id, PHC string format. */
  readonly passwordHash: string;
}

/** Everything that is wrong with a list of users, at once. Tells places and field names, never a hash. */
export class UserListError extends Error {
  override readonly name = 'UserListError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('; '));
    this.faults = faults;
  }
}

const knownFields: ReadonlySet<string> = new Set(['username', 'passwordHash', 'phone', 'locale']);

/** What is wrong with one entry of the list, one sentence each. */
export function storedUserFaults(entry: unknown): string[] {
  if (!isFields(entry)) return ['must be an object with username, passwordHash and phone'];
  const faults = userFaults(entry);
  const { passwordHash } = entry;
  if (typeof passwordHash !== 'string' || readParameters(passwordHash) === null) {
    const { memoryKib, passes, lanes } = parameterLimits;
    faults.push(
      'passwordHash must be an argon2id PHC string, "$argon2id$v=19$m=…,t=…,p=…$salt$hash", ' +
        `with m up to ${memoryKib} (KiB), t up to ${passes} and p up to ${lanes}`,
    );
  }
  for (const name of Object.keys(entry)) {
    // Shortened, for the case that a value has slipped into the place of a name.
    if (!knownFields.has(name)) faults.push(`${JSON.stringify(name.slice(0, 24))} is no known property`);
  }
  return faults;
}

/**
 * Reads the users file: UTF-8, with or without a byte-order mark, then as {@link parseUsers}.
 *
 * @throws UserListError
 */
export function parseUsersFile(bytes: Uint8Array): StoredUser[] {
  let text: string;
  try {
    text = decodeText(bytes);
  } catch (error) {
    throw new UserListError([(error as Error).message]);
  }
  return parseUsers(text);
}

/**
 * Reads the users file's JSON: an array of `{ username, passwordHash, phone, locale? }`, in which no two usernames are
 * the same after {@link foldUsername}.
 *
 * @throws UserListError that names all faults, each with the entry's index and the field
 */
export function parseUsers(text: string): StoredUser[] {
  const entries = parseJson(text);
  if (!Array.isArray(entries)) throw new UserListError(['must be a JSON array of users']);

  const faults: string[] = [];
  const firstIndex = new Map<string, number>();
  entries.forEach((entry: unknown, index) => {
    faults.push(...storedUserFaults(entry).map((fault) => `[${index}]: ${fault}`));
    const username = isFields(entry) ? entry['username'] : undefined;
    if (typeof username !== 'string') return;
    const folded = foldUsername(username);
    const first = firstIndex.get(folded);
    if (first === undefined) firstIndex.set(folded, index);
    else faults.push(`[${index}]: username is the same as that of [${first}] (upper and lower case are one)`);
  });
  if (faults.length > 0) throw new UserListError(faults);

  return entries.map((entry: Fields & { passwordHash: string }) => {
    return { ...toUser(entry), passwordHash: entry.passwordHash };
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8's message quotes the text around the fault, which may be a hash: only the position is taken from it.
    const position = / in JSON at position (\d+)/.exec(String(error))?.[1];
    const line = position === undefined ? '' : ` (line ${text.slice(0, Number(position)).split('\n').length})`;
    throw new UserListError([`is not valid JSON${line}`]);
  }
}
