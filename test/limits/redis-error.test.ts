import t from 'tap';
import { describeRedisError, isFromReplica, redisErrorCode } from '../../src/limits/redis-error.ts';

/** As ioredis reports what a server replied. */
function reply(message: string, command = 'evalsha'): Error {
  return Object.assign(new Error(message), { name: 'ReplyError', command: { name: command, args: ['s3cret'] } });
}

const SHA = 'f_1028a5dba704e1d8a01fd96efeba25bb78f62df2';
const wrapped = (inner: string) =>
  `ERR Error running script (call to ${SHA}): @user_script:4: @user_script: 4: ${inner}`;
const seven = (inner: string) => `${inner} script: ${SHA.slice(2)}, on @user_script:4.`;

t.test('the code of an error is found in the messages of all versions', async (t) => {
  const messages: Record<string, string> = {
    "READONLY You can't write against a read only replica.": 'READONLY',
    "READONLY You can't write against a read only slave.": 'READONLY',
    [wrapped("-READONLY You can't write against a read only replica.")]: 'READONLY',
    [wrapped("-READONLY You can't write against a read only slave.")]: 'READONLY',
    [seven("READONLY You can't write against a read only replica.")]: 'READONLY',
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": 'MASTERDOWN',
    [wrapped("-MASTERDOWN Link with MASTER is down and slave-serve-stale-data is set to 'no'.")]: 'MASTERDOWN',
    "OOM command not allowed when used memory > 'maxmemory'.": 'OOM',
    [wrapped("-OOM command not allowed when used memory > 'maxmemory'.")]: 'OOM',
    [wrapped('-MISCONF Redis is configured to save RDB snapshots, but it cannot')]: 'MISCONF',
    [wrapped('-NOREPLICAS Not enough good replicas to write.')]: 'NOREPLICAS',
    [wrapped('-CLUSTERDOWN The cluster is down')]: 'CLUSTERDOWN',
    [wrapped("The user executing the script can't run this command or subcommand")]: 'NOPERM',
    "NOPERM this user has no permissions to run the 'evalsha' command or its subcommand": 'NOPERM',
    'LOADING Redis is loading the dataset in memory': 'LOADING',
    'NOAUTH Authentication required.': 'NOAUTH',
    'WRONGPASS invalid username-password pair or user is disabled.': 'WRONGPASS',
    'WRONGPASS invalid username-password pair': 'WRONGPASS',
    'ERR DB index is out of range': 'ERR',
    [wrapped('ERR value is not an integer or out of range')]: 'ERR',
  };
  for (const [message, code] of Object.entries(messages)) t.equal(redisErrorCode(message), code, message);
  t.equal(redisErrorCode('connect ECONNREFUSED 127.0.0.1:6379'), undefined);
});

t.test('a replica is recognised by its errors, however they are wrapped', async (t) => {
  for (const code of ['READONLY', 'MASTERDOWN']) {
    for (const message of [`${code} text`, wrapped(`-${code} text`), seven(`${code} text`)]) {
      t.ok(isFromReplica(reply(message)), message);
    }
  }
  for (const message of ['OOM text', wrapped('-OOM text'), 'ERR READONLY text', 'NOSCRIPT No matching script.']) {
    t.notOk(isFromReplica(reply(message)), message);
  }
});

t.test('the cause is described without a word of the message but its code', async (t) => {
  const causes: [Error, string][] = [
    [reply('WRONGPASS invalid s3cret', 'hello'), 'wrong user or password (WRONGPASS)'],
    [reply('NOAUTH Authentication required.', 'info'), 'the server requires a password (NOAUTH)'],
    [reply('ERR DB index is out of range', 'select'), 'the database of REDIS_URL cannot be selected (ERR)'],
    [reply("NOPERM 's3cret'", 'select'), 'the database of REDIS_URL cannot be selected (NOPERM)'],
    [
      reply('MOVED 1 192.0.2.1:6379'),
      'the server is part of a cluster, which needs redis+cluster:// in REDIS_URL (MOVED)',
    ],
    [reply('ERR unknown command `HELLO`, with args beginning with: `3`, `s3cret`', 'hello'), 'ERR'],
    [reply(wrapped('-OOM s3cret')), 'OOM'],
    [reply('s3cret'), 'ReplyError'],
    [Object.assign(new Error('s3cret'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error('s3cret'), 'unknown error'],
    [new Error('Connection is closed.'), 'the connection was closed'],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'there is no connection'],
    [new Error("Cluster isn't ready and enableOfflineQueue options is false"), 'there is no connection'],
    [new Error('Command timed out'), 'timeout'],
    [new Error('None of startup nodes is available'), 'no node of the cluster can be reached'],
    [new TypeError('s3cret'), 'TypeError'],
  ];
  for (const [error, cause] of causes) t.equal(describeRedisError(error), cause);
  const sentinels: Record<string, string> = {
    '': 'no sentinel knows the primary that REDIS_URL names',
    ' Last error: ERR No such master with that name': 'no sentinel knows the primary that REDIS_URL names',
    ' Last error: NOAUTH s3cret': 'sentinel: the server requires a password (NOAUTH)',
    ' Last error: ERR s3cret': 'sentinel: refused (ERR)',
    ' Last error: connect ECONNREFUSED 127.0.0.1:26379': 'no sentinel can be reached',
  };
  for (const [last, cause] of Object.entries(sentinels)) {
    const message = `All sentinels are unreachable. Retrying from scratch after 50ms.${last}`;
    t.equal(describeRedisError(new Error(message)), cause);
  }
});
