import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { DoorcodeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { AnswerTimeout, createAnswerTimeout } from './answer-timeout.ts';
import { createHashKey, EXTRA_NAMES, type HashKeyOptions, SYNC } from './hash-key.ts';
import type { Count, Limits } from './limits.ts';
import { openRedis, type RedisClient } from './redis-client.ts';
import { describeRedisError, isReplyError, isSentinelFailure, isWithoutConnection } from './redis-error.ts';
import { boundedEnd } from './window.ts';

export interface RedisLimitsOptions {
  /** See {@link parseRedisUrl}. */
  readonly url: string;
  /** `SESSION_KEYS`, under which the store keeps the key of its keyed hashes; see {@link createHashKey}. */
  readonly masterKeys: readonly Buffer[];
  /** Whether a store without a usable hash key gets a new one; `true` when absent. */
  readonly createHashKey?: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a command may take before the store counts as out of reach; see {@link createAnswerTimeout}. */
  readonly timeoutMs?: number | undefined;
  /** See {@link openRedis}; longer than a command may take. */
  readonly handshakeMs?: number;
  /** Is told how long each command took. */
  readonly observe?: ((operation: string, ms: number, failed: boolean) => void) | undefined;
}

export interface RedisLimits extends Limits {
  /** Counts something for a try. @returns null, or what is wrong with the store in a few words */
  check(): Promise<string | null>;
  /** @returns a warning when the store may throw counters away under memory pressure, else null */
  evictionWarning(): string | null;
  /** Resolves when the store counts for the first time, or after `timeoutMs` in vain. */
  connected(timeoutMs: number): Promise<void>;
}

// A counter is a hash. `c` is its count, `r` when it ends by the clock of the caller that began it, `t` its time to live
// in milliseconds. The key's own time to live only cleans up afterwards, with a minute to spare for replicas whose clocks
// differ.
const SPARE_MS = 60_000;

// The count of a running counter, and when it ends by the caller's clock; nothing when none is running.
//
// An end further away than `t` means that the caller's clock was set back, or is behind that of another replica. The
// counter then ends one `t` after the first such caller. This end is stored beside `r`, as `m`, and does not replace it: for
// a replica whose clock is right the counter would end too early, and two replicas with different clocks could be used
// in turn to begin ever new counters.
const RUNNING = `
local function running(now, ttl)
  local count, reset, own, moved = unpack(redis.call('HMGET', KEYS[1], 'c', 'r', 't', 'm'))
  count, reset = tonumber(count), tonumber(reset)
  if not reset then return nil end
  local longest = tonumber(own) or ttl
  if longest and reset > now + longest then
    reset = tonumber(moved)
    if not reset or reset > now + longest then
      reset = now + longest
      redis.call('HSET', KEYS[1], 'm', reset)
    end
  end
  if reset > now then return count, reset end
end
local function start(count, now, ttl)
  -- An empty 'm' is none. HDEL is not among the commands that users of Redis had to be allowed so far.
  redis.call('HSET', KEYS[1], 'c', count, 'r', now + ttl, 't', ttl, 'm', '')
  redis.call('PEXPIRE', KEYS[1], ttl + ${SPARE_MS})
end`;

const ADD = `${RUNNING}
local now, ttl, sliding, max = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local count, reset = running(now, ttl)
if not count then
  count = 1
else
  if count >= max then return {count + 1, reset} end
  count = redis.call('HINCRBY', KEYS[1], 'c', 1)
  if sliding ~= '1' then return {count, reset} end
end
start(count, now, ttl)
return {count, now + ttl}`;

const CLAIM = `${RUNNING}
local now, ttl = tonumber(ARGV[1]), tonumber(ARGV[2])
if running(now, ttl) then return 0 end
start(1, now, ttl)
return 1`;

const READ = `${RUNNING}
local count, reset = running(tonumber(ARGV[1]), nil)
if not count then return {0, 0} end
return {count, reset}`;

const GIVE_BACK = `${RUNNING}
local count, reset = running(tonumber(ARGV[1]), nil)
if not count then return 0 end
local first = redis.call('HGET', KEYS[1], 'r')
if ARGV[2] ~= '' and reset ~= tonumber(ARGV[2]) and tonumber(first) ~= tonumber(ARGV[2]) then return 0 end
if count > 1 then return redis.call('HINCRBY', KEYS[1], 'c', -1) end
redis.call('DEL', KEYS[1])
return 0`;

/**
 * Rules whose keys are random ids of 128 bits, which cannot be guessed and name no person. They are stored as they are,
 * so that a used code and a signed-out session stay so whatever becomes of the hash key. All other keys are hashed.
 */
const RANDOM_ID_RULES: ReadonlySet<string> = new Set(['guesses', 'closed', 'revoked', 'calls', 'probe']);

/** The client with our scripts. */
interface Scripts {
  doorcodeSync(...args: readonly (string | number)[]): ReturnType<HashKeyOptions['sync']>;
  doorcodeAdd(
    key: string,
    now: number,
    ttlMs: number,
    sliding: 0 | 1,
    max: number,
  ): Promise<[count: number, resetAtMs: number]>;
  doorcodeClaim(key: string, now: number, ttlMs: number): Promise<0 | 1>;
  doorcodeRead(key: string, now: number): Promise<[count: number, resetAtMs: number]>;
  doorcodeGiveBack(key: string, now: number, resetAtMs: number | ''): Promise<number>;
}

/** A connection that has owed an answer for this long is given up for a new one when the next command times out. */
const SILENT_MS = 1000;

/**
 * Counters in Redis or Valkey: exact over any number of replicas, and still there after their restart. Each operation
 * is one script or command on one key, hence atomic, also in a cluster; what is asked for in one turn of the event loop
 * travels in one round trip.
 *
 * @throws Error when the URL cannot be read
 */
export function createRedisLimits(options: RedisLimitsOptions): RedisLimits {
  const {
    url,
    masterKeys,
    clock,
    log,
    timeoutMs = 200,
    handshakeMs = Math.max(2000, 2 * timeoutMs),
    observe,
  } = options;
  const client = openRedis(url, handshakeMs);
  const inTime = createAnswerTimeout(timeoutMs);
  for (const [name, lua] of Object.entries({ doorcodeAdd: ADD, doorcodeClaim: CLAIM, doorcodeGiveBack: GIVE_BACK })) {
    client.defineCommand(name, { numberOfKeys: 1, lua });
  }
  client.defineCommand('doorcodeRead', { numberOfKeys: 1, lua: READ });
  client.defineCommand('doorcodeSync', { numberOfKeys: masterKeys.length + EXTRA_NAMES, lua: SYNC });
  const scripts = client as unknown as Scripts;
  const hashKey = createHashKey({
    masterKeys,
    sync: (names, args) => scripts.doorcodeSync(...names, ...args),
    clock,
    log,
    create: options.createHashKey ?? true,
  });

  /** When the first command was sent that has had no answer, nor any command after it. */
  let silentSinceMs: number | undefined;
  let up: boolean | undefined;
  /** Why the server refuses connections, if it replied to the last one with an error. */
  let refusal: string | undefined;
  /** The causes of the present outage that the log has. */
  const loggedReasons = new Set<string>();
  /** Undefined until the store has told its policy. */
  let warning: string | null | undefined;

  function logReached(): void {
    if (up === true) return;
    up = true;
    loggedReasons.clear();
    log.info({}, 'limit store reached');
  }

  /** Logs each cause once per outage, because the client tries to connect twice a second. */
  function logOutage(error: Error): void {
    const reason = reasonOf(error);
    // That commands fail without a connection says nothing about an outage that has been logged.
    if (up === false && (loggedReasons.has(reason) || isWithoutConnection(error))) return;
    up = false;
    loggedReasons.add(reason);
    log.error({ reason }, 'limit store out of reach');
  }

  function connectionFailed(error: Error): void {
    const isRefusal = isReplyError(error) || isSentinelFailure(error);
    // ioredis closes a connection after a refusal, and reports that as well.
    if (isRefusal) refusal = describeRedisError(error);
    else if (!isWithoutConnection(error)) refusal = undefined;
    logOutage(error);
  }

  client.on('error', connectionFailed);
  client.on('node error', connectionFailed);
  client.on('close', hashKey.invalidate);
  client.on('ready', () => {
    refusal = undefined;
    silentSinceMs = undefined;
    void check();
    void hashKey.load().catch(() => {});
    // Another server may answer from now on.
    warning = undefined;
    void learnEviction();
  });

  // That it is there and can be read is not enough: out of memory, or with a user who may not run scripts, it counts
  // nothing.
  async function check(): Promise<string | null> {
    try {
      await add('probe', 'probe', 1);
      await learnEviction();
      return null;
    } catch (error) {
      const cause = (error as Error).cause as Error;
      if (isReplyError(cause)) return `refuses to count (${reasonOf(cause)})`;
      return refusal === undefined ? 'out of reach' : `refuses the connection: ${refusal}`;
    }
  }

  /** Asks for the policy unless it is known; a store that is too slow to tell is asked again with the next check. */
  async function learnEviction(): Promise<void> {
    if (warning !== undefined) return;
    const found = await inTime(readEvictionWarning(client)).catch(() => undefined);
    if (found === undefined || warning !== undefined) return;
    warning = found;
    if (found !== null) log.warn({ reason: found }, 'limit store may lose counts');
  }

  /**
   * Runs a command; whatever goes wrong is the one error of the port.
   *
   * @param operation its name in the metrics
   * @param wrote whether the answer shows that the store can be written to
   */
  async function ask<Result>(
    operation: string,
    command: () => Promise<Result>,
    wrote: (result: Result) => boolean,
  ): Promise<Result> {
    const startedAt = performance.now();
    silentSinceMs ??= startedAt;
    try {
      const result = await inTime(command());
      silentSinceMs = undefined;
      observe?.(operation, performance.now() - startedAt, false);
      if (wrote(result)) logReached();
      return result;
    } catch (cause) {
      observe?.(operation, performance.now() - startedAt, true);
      logOutage(cause as Error);
      if (isReplyError(cause as Error)) silentSinceMs = undefined;
      // A peer that went away without a word leaves a connection that only looks open.
      const silentMs = performance.now() - (silentSinceMs ?? Number.POSITIVE_INFINITY);
      if (reasonOf(cause as Error) === 'timeout' && silentMs > SILENT_MS && client.status === 'ready') {
        silentSinceMs = undefined;
        client.disconnect(true);
      }
      throw new DoorcodeError('limits_unavailable', { retryAfterSeconds: 1, cause });
    }
  }

  /** @returns the name of a counter in the store, without the key in clear if that could be guessed */
  async function nameOf(rule: string, key: string): Promise<string> {
    if (RANDOM_ID_RULES.has(rule)) return `doorcode:${rule}:${key}`;
    if (hashKey.isLoaded()) hashKey.refresh();
    else await ask('hash_key', hashKey.load, never);
    return `doorcode:${rule}:${hashKey.hash(rule, key)}`;
  }

  const add: Limits['add'] = async (rule, key, ttlSeconds, { sliding = false, max = Number.MAX_SAFE_INTEGER } = {}) => {
    const name = await nameOf(rule, key);
    const [count, resetAtMs] = await ask(
      'add',
      () => scripts.doorcodeAdd(name, clock(), ttlSeconds * 1000, sliding ? 1 : 0, max),
      ([after]) => after <= max,
    );
    return { count, resetAtMs };
  };

  /** Reads a counter that ends too late by our clock; see {@link RUNNING}. A store that can only be read is read. */
  async function readMoved(key: string, now: number, { count, resetAtMs }: Count, ttlMs: number): Promise<Count> {
    const [moved, end] = await ask('read', () => scripts.doorcodeRead(key, now), never).catch(
      () => [count, boundedEnd(resetAtMs, ttlMs, now)] as const,
    );
    return moved > 0 ? { count: moved, resetAtMs: end } : { count: 0, resetAtMs: now };
  }

  return {
    add,
    async giveBack(rule, key, counted) {
      const name = await nameOf(rule, key);
      await ask('give_back', () => scripts.doorcodeGiveBack(name, clock(), counted?.resetAtMs ?? ''), never);
    },
    async read(rule, key): Promise<Count> {
      const name = await nameOf(rule, key);
      const [count, reset, ttl] = await ask('read', () => client.hmget(name, 'c', 'r', 't'), never);
      const now = clock();
      const seen = { count: Number(count), resetAtMs: Number(reset) };
      if (ttl != null && seen.resetAtMs > now + Number(ttl)) return readMoved(name, now, seen, Number(ttl));
      return seen.resetAtMs > now ? seen : { count: 0, resetAtMs: now };
    },
    async claim(rule, key, ttlSeconds) {
      const won = (result: 0 | 1) => result === 1;
      const name = await nameOf(rule, key);
      return won(await ask('claim', () => scripts.doorcodeClaim(name, clock(), ttlSeconds * 1000), won));
    },
    async forget(rule, key) {
      const name = await nameOf(rule, key);
      await ask('forget', () => client.del(name), never);
    },
    check,
    evictionWarning: () => warning ?? null,
    async connected(limitMs) {
      const deadline = performance.now() + limitMs;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        if (client.status === 'ready') resolve();
        else client.once('ready', resolve);
        timer = setTimeout(resolve, limitMs);
      });
      clearTimeout(timer);
      // A cluster is ready before the connection to each of its nodes is.
      while (client.status === 'ready' && (await check()) !== null && performance.now() < deadline) await sleep(20);
      // The first request finds the key loaded; when it cannot be, that request fails and says why.
      await hashKey.load().catch(() => {});
    },
    async close() {
      client.disconnect();
    },
  };
}

const never = () => false;

function reasonOf(error: Error): string {
  return error instanceof AnswerTimeout ? 'timeout' : describeRedisError(error);
}

/** A store that evicts keys would forget counts, and with them locks and used codes, whenever memory is short. */
async function readEvictionWarning(client: RedisClient): Promise<string | null> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1];
  return policy === undefined || policy === 'noeviction' ? null : `maxmemory-policy is ${policy}, must be noeviction`;
}
