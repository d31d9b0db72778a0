import t from 'tap';
import { examineConfig } from '../src/config.ts';
import { startNotice, urlOf } from '../src/start-notice.ts';

const DEMO = { username: 'demo', phone: '+15550100100' };

const notice = (env: Record<string, string>, metricsUrl?: string) =>
  startNotice(examineConfig(env).config, 'http://127.0.0.1:3000', DEMO, metricsUrl).join('\n');

t.test('addresses of both families', async (t) => {
  t.equal(urlOf('127.0.0.1', 3000), 'http://127.0.0.1:3000');
  t.equal(urlOf('::1', 3000), 'http://[::1]:3000');
});

t.test('nothing set: the demo user, codes on the console, keys and counts of this run', async (t) => {
  const text = notice({});
  for (const words of [
    'doorcode listens on http://127.0.0.1:3000',
    'the one user is demo with the password demo, phone +15550100100',
    'codes appear here, on the console',
    'keys were made for this run',
    'limits are counted in this process',
    /guess budget: .* 195 guesses .* 24 hours/,
  ]) {
    t.match(text, words);
  }
  t.notMatch(text, 'metrics');
});

t.test('proxies, without their passwords', async (t) => {
  const https = { HTTPS_PROXY: 'http://anna:password@proxy.example.com:3128' };
  t.match(notice(https), 'requests to https addresses go through the proxy proxy.example.com:3128, except');
  t.match(notice({ http_proxy: 'other:1' }), 'requests to http addresses go through the proxy other:1,');
  t.match(notice({ ALL_PROXY: 'p:1' }), 'requests to http and https addresses go through the proxy p:1,');
  t.notMatch(notice(https), /anna|password@/);
  t.notMatch(notice({}), 'proxy');
});

t.test('each setting is told as it is', async (t) => {
  const text = notice(
    {
      SESSION_KEYS: Buffer.alloc(32, 1).toString('base64'),
      USERS_FILE: 'users.json',
      DELIVERY: 'signalwire,webhook',
      SIGNALWIRE_SPACE: 'example.signalwire.com',
      SIGNALWIRE_PROJECT: 'project',
      SIGNALWIRE_TOKEN: 'token',
      SIGNALWIRE_NUMBER: '+15550100199',
      WEBHOOK_URL: 'http://127.0.0.1:9/',
      WEBHOOK_SECRET: 'a secret of this test',
      REDIS_URL: 'redis://127.0.0.1:6379',
    },
    'http://127.0.0.1:9100/metrics',
  );
  t.match(text, 'codes are sent by signalwire, then webhook');
  t.match(text, 'limits are shared in Redis; while it is away, sign-ins are refused');
  t.match(text, 'metrics are on http://127.0.0.1:9100/metrics');
  for (const words of ['demo', 'keys were made', 'token', 'a secret']) t.notMatch(text, words);
  t.match(
    notice({ REDIS_URL: 'redis://127.0.0.1:6379', LIMITS_ON_OUTAGE: 'local' }),
    'while it is away, each replica counts for itself',
  );
});
