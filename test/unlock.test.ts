import t from 'tap';
import { unlock } from '../src/unlock.ts';
import { TEST_KEYS } from './support/redis.ts';

const SESSION_KEYS = TEST_KEYS.map((key) => key.toString('base64')).join(',');

t.test('without a shared store there is nothing to reach', async (t) => {
  await t.rejects(unlock({}, 'bob'), { name: 'ConfigError', message: /REDIS_URL: is missing/ });
  for (const url of ['nonsense', 'redis://:s3cret@a:1,b:1', 'redis+sentinel://a:1']) {
    const error: Error = await unlock({ REDIS_URL: url, SESSION_KEYS }, 'bob').then(
      () => new Error('unlocked'),
      (error) => error,
    );
    t.match(error, { name: 'ConfigError', message: /REDIS_URL: / });
    t.notMatch(error.message, 's3cret');
  }
  // Nothing listens on port 1.
  await t.rejects(unlock({ REDIS_URL: 'redis://127.0.0.1:1', SESSION_KEYS }, 'bob'), {
    code: 'limits_unavailable',
  });
});
