import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/**
 * The key of the keyed hash (HMAC-SHA-256) under which counters of people and addresses are stored. A plain hash of a
 * phone number is no protection, because all numbers can be tried in seconds.
 *
 * The key is random and made once. All replicas share it by way of the limit store, where it stands encrypted under each
 * of `SESSION_KEYS`, so that it outlives their rotation; see docs/adr/0015-keyed-hashes-in-the-limit-store.md.
 */
export interface HashKey {
  /** Whether {@link hash} can be called: the key is known, and the connection it was loaded by still stands. */
  isLoaded(): boolean;
  /**
   * Agrees with the store on the key.
   *
   * @throws HashKeyUnreadable when the store has a key that none of ours opens and the options forbid a new one
   */
  load(): Promise<void>;
  /** Loads the key again, in the background, if that has not happened for a second. */
  refresh(): void;
  /** To be called when the connection is lost: another or an empty store may answer from then on. */
  invalidate(): void;
  /** @returns 43 characters of base64url */
  hash(rule: string, key: string): string;
}

/** The store has a hash key, but it is encrypted under other `SESSION_KEYS`. */
export class HashKeyUnreadable extends Error {
  override readonly name = 'HashKeyUnreadable';
}

export interface HashKeyOptions {
  /** `SESSION_KEYS`, 32 bytes each. */
  readonly masterKeys: readonly Buffer[];
  /** Runs {@link SYNC} on {@link HashKey}'s names. */
  readonly sync: (names: readonly string[], args: readonly (string | number)[]) => Promise<SyncReply>;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether a key is made when the store has none that ours open; `false` for commands beside the service. */
  readonly create: boolean;
}

/** What the script found: our key or a new one is stored; the entry with this index has another key; there is no entry. */
export type SyncReply =
  | readonly ['ours']
  | readonly ['new', wasUsed: 0 | 1]
  | readonly ['other', index: number, wrapped: string]
  | readonly ['none', wasUsed: 0 | 1];

const KEY_BYTES = 32;
/** How old the last agreement with the store may be, in case the store was emptied while the connection stood. */
const REFRESH_MS = 1000;
/** An entry that no replica uses expires after this: its key of `SESSION_KEYS` was retired. */
const ENTRY_TTL_MS = 30 * 86_400_000;
/** How often entries are renewed. */
const RENEW_MS = 86_400_000;
/** All names have one hash tag, so that a cluster keeps them on one node. */
const NAME = 'doorcode:{key}:';

/**
 * Stores the caller's key unless there is one already. KEYS: a mark that the store has been used, then an entry for each
 * of the caller's `SESSION_KEYS`, in an order that is the same for all replicas. ARGV: the time, the renewal interval and
 * the TTL in milliseconds, what to do, and the caller's key as each entry would hold it. To do is `keep` (an existing key
 * wins, else nothing is stored), `create` (an existing key wins) or `replace`.
 */
export const SYNC = `
local now, renew, ttl, todo = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local used = redis.call('HGET', KEYS[1], 'k') and 1 or 0
local reply = {'none', used}
for i = 2, #KEYS do
  local stored = redis.call('HGET', KEYS[i], 'k')
  if stored then
    if stored ~= ARGV[i + 3] then reply = {'other', i - 2, stored} else reply = {'ours'} end
    break
  end
end
if todo ~= 'replace' then
  if reply[1] == 'other' or (reply[1] == 'none' and todo == 'keep') then return reply end
end
for i = 1, #KEYS do
  local value = i == 1 and '1' or ARGV[i + 3]
  local due = tonumber(redis.call('HGET', KEYS[i], 'r') or 0)
  if redis.call('HGET', KEYS[i], 'k') ~= value or due <= now or due > now + renew then
    redis.call('HSET', KEYS[i], 'k', value, 'r', now + renew)
    redis.call('PEXPIRE', KEYS[i], ttl)
  end
end
if reply[1] == 'ours' then return reply end
return {'new', used}`;

/** How many entries the script gets beside those of `SESSION_KEYS`. */
export const EXTRA_NAMES = 1;

export function createHashKey({ masterKeys, sync, clock, log, create }: HashKeyOptions): HashKey {
  const wrappings = masterKeys.map(createWrapping).sort((a, b) => (a.id < b.id ? -1 : 1));
  const names = [`${NAME}used`, ...wrappings.map(({ id }) => NAME + id)];
  let key: Buffer | undefined;
  let loaded = false;
  let loadedAtMs = 0;
  let loading: Promise<void> | undefined;

  async function agree(): Promise<void> {
    let todo = create ? 'create' : 'keep';
    // Another replica can be faster each time; more often than this it does not happen.
    for (let round = 0; round < 5; round += 1) {
      const proposed = key ?? randomBytes(KEY_BYTES);
      const wrapped = wrappings.map(({ wrap }) => wrap(proposed));
      const reply = await sync(names, [clock(), RENEW_MS, ENTRY_TTL_MS, todo, ...wrapped]);
      if (reply[0] === 'ours' || reply[0] === 'new') {
        if (reply[0] === 'new' && reply[1] === 1 && key === undefined) reportNew();
        key = proposed;
        return;
      }
      if (reply[0] === 'none') {
        if (reply[1] === 1) throw new HashKeyUnreadable();
        // Nothing has ever been counted here, so any key will do.
        key = proposed;
        return;
      }
      const stored = wrappings[reply[1]]?.unwrap(reply[2]) ?? null;
      if (stored === null && !create) throw new HashKeyUnreadable();
      if (stored === null) todo = 'replace';
      else {
        if (key !== undefined)
          log.warn({}, 'limit store has another hash key; counts under the previous one have ended');
        key = stored;
      }
    }
    throw new Error('no agreement on the hash key');
  }

  function reportNew(): void {
    log.warn(
      {},
      'limit counts start anew: none of SESSION_KEYS opens the hash key in the limit store, so a new one was made',
    );
  }

  async function load(): Promise<void> {
    loading ??= agree()
      .then(() => {
        loaded = true;
        loadedAtMs = clock();
      })
      .finally(() => {
        loading = undefined;
      });
    await loading;
  }

  return {
    isLoaded: () => loaded,
    load,
    refresh() {
      const age = clock() - loadedAtMs;
      // A clock that was set back must not put this off.
      if (age < 0 || age >= REFRESH_MS) void load().catch(() => {});
    },
    invalidate() {
      loaded = false;
    },
    hash(rule, text) {
      if (key === undefined) throw new Error('the hash key is not loaded');
      return createHmac('sha256', key).update(`${rule}\n${text}`).digest('base64url');
    },
  };
}

/** One of `SESSION_KEYS`, as it encrypts the hash key. */
interface Wrapping {
  /** Names the entry in the store. */
  readonly id: string;
  wrap(key: Buffer): string;
  /** @returns null for what was not wrapped with this key */
  unwrap(wrapped: string): Buffer | null;
}

/** The initial value of AES key wrap (RFC 3394 §2.2.3.1), which is also its integrity check. */
const WRAP_IV = Buffer.alloc(8, 0xa6);

/**
 * AES-256 key wrap (RFC 3394), which is deterministic: equal keys have equal entries. Its key and the id are derived by
 * HKDF-SHA-256 (RFC 5869; no salt, info `doorcode limits v1` and `doorcode limits id v1`).
 */
function createWrapping(masterKey: Buffer): Wrapping {
  const derive = (info: string, length: number) => Buffer.from(hkdfSync('sha256', masterKey, '', info, length));
  const wrappingKey = derive('doorcode limits v1', KEY_BYTES);
  return {
    id: derive('doorcode limits id v1', 12).toString('base64url'),
    wrap(key) {
      const cipher = createCipheriv('aes256-wrap', wrappingKey, WRAP_IV);
      return Buffer.concat([cipher.update(key), cipher.final()]).toString('base64');
    },
    unwrap(wrapped) {
      try {
        const decipher = createDecipheriv('aes256-wrap', wrappingKey, WRAP_IV);
        const key = Buffer.concat([decipher.update(wrapped, 'base64'), decipher.final()]);
        return key.length === KEY_BYTES ? key : null;
      } catch {
        return null;
      }
    },
  };
}
