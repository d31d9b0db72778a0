/** Causes that an operator can remove, by the code of the error. */
const CAUSES: Readonly<Record<string, string>> = {
  DENIED: 'the server accepts only local clients, because it has no password',
  MOVED: 'the server is part of a cluster, which needs redis+cluster:// in REDIS_URL',
  NOAUTH: 'the server requires a password',
  WRONGPASS: 'wrong user or password',
};

/** Errors without a code of their own. Scripts of Redis 6 report missing permissions in this way. */
const WORDED: readonly (readonly [text: string, code: string])[] = [
  ['The user executing the script', 'NOPERM'],
  ["can't write against a read only", 'READONLY'],
];

/** Whether the server itself replied with an error. */
export function isReplyError(error: Error): boolean {
  return error.name === 'ReplyError';
}

const SENTINELS_FAILED = 'All sentinels are unreachable';

/** Whether no sentinel gave an address, for which ioredis has an error without a code. */
export function isSentinelFailure(error: Error): boolean {
  return error.message.startsWith(SENTINELS_FAILED);
}

const CLOSED = 'the connection was closed';
const NO_CONNECTION = 'there is no connection';

/** Errors of ioredis itself that have no code, by how their message starts. */
const CLIENT_ERRORS: readonly (readonly [start: string, cause: string])[] = [
  ['Connection is closed', CLOSED],
  ['Reached the max retries', CLOSED],
  ["Stream isn't writeable", NO_CONNECTION],
  ["Cluster isn't ready", NO_CONNECTION],
  ['Cluster is disconnect', NO_CONNECTION],
  ['Node is disconnected', NO_CONNECTION],
  ['None of startup nodes', 'no node of the cluster can be reached'],
  ['Failed to refresh slots', 'no node of the cluster can be reached'],
  ['Command timed out', 'timeout'],
];

/** Whether a command failed because its connection had ended, which has another error as its cause. */
export function isWithoutConnection(error: Error): boolean {
  return !isReplyError(error) && [CLOSED, NO_CONNECTION].includes(describeRedisError(error));
}

/**
 * The code of an error that Redis or Valkey replied with, such as READONLY, OOM or WRONGPASS.
 *
 * Redis 7 and Valkey start each message with its code. Redis 6 wraps an error of a command within a script: `ERR Error running script (call to f_…): @user_script:2: @user_script: 2: -READONLY You can't write against a
 * read only replica.`
 *
 * @returns ERR for errors without a known code, undefined for what is not an error message of a server
 */
export function redisErrorCode(message: string): string | undefined {
  const code = /^[A-Z]+\b/.exec(message)?.[0];
  if (code !== undefined && code !== 'ERR') return code;
  const wrapped = /@user_script: ?\d+: -?([A-Z]{2,})\b/.exec(message)?.[1];
  if (wrapped !== undefined && wrapped !== 'ERR') return wrapped;
  return WORDED.find(([text]) => message.includes(text))?.[1] ?? code;
}

/**
 * Whether the connection leads to a server that is no longer the primary, so that a new connection is needed, which a
 * sentinel, a host name or a proxy leads to the new primary.
 */
export function isFromReplica(error: Error): boolean {
  return ['READONLY', 'MASTERDOWN'].includes(redisErrorCode(error.message) ?? '');
}

/**
 * The cause of an error in a few words for logs and readiness. Messages are not quoted, because they may contain keys.
 */
export function describeRedisError(error: NodeJS.ErrnoException & { command?: { name?: string } }): string {
  if (isSentinelFailure(error)) return describeSentinels(error.message);
  if (!isReplyError(error)) return error.code ?? describeClientError(error);
  const code = redisErrorCode(error.message) ?? error.name;
  if (error.command?.name === 'select') return `the database of REDIS_URL cannot be selected (${code})`;
  const cause = CAUSES[code];
  return cause === undefined ? code : `${cause} (${code})`;
}

function describeClientError({ message, name }: Error): string {
  const known = CLIENT_ERRORS.find(([start]) => message.startsWith(start))?.[1];
  return known ?? (name === 'Error' ? 'unknown error' : name);
}

/** Sentinels fail one after the other; ioredis reports the last failure, or none when they answer with no address. */
function describeSentinels(message: string): string {
  const last = /Last error: (.*)$/s.exec(message)?.[1];
  if (last === undefined || last.includes('No such master'))
    return 'no sentinel knows the primary that REDIS_URL names';
  const code = redisErrorCode(last);
  return code === undefined ? 'no sentinel can be reached' : `sentinel: ${CAUSES[code] ?? 'refused'} (${code})`;
}
