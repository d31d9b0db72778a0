import t from 'tap';
import type { DoorcodeEvent } from '../../src/events.ts';
import { createMetrics, type MetricSources } from '../../src/telemetry/metrics.ts';
import { ALICE, testApp, wrongCode } from '../support/build-app.ts';

const trace = { requestId: '1' };

/** The samples of one metric, `{labels} value`. */
async function samples({ page }: { page: () => Promise<string> }, name: string): Promise<string[]> {
  return (await page())
    .split('\n')
    .filter((line) => new RegExp(`^doorcode_${name}(?:[{ ]|$)`).test(line))
    .map((line) => line.slice(`doorcode_${name}`.length));
}

t.test('sign-ins, checks, limits and locks are counted by how they ended', async (t) => {
  const metrics = createMetrics();
  const service = await testApp({
    env: { LIMIT_ACCOUNT_FAILURES: '2', LIMIT_PASSWORD_PAIR: '1/900' },
    ports: { events: metrics.events, observeRequest: metrics.observeRequest },
  });
  await service.post('/login', { username: 'alice', password: 'wrong' });
  await service.post('/login', { username: 'alice', password: 'wrong' });
  service.clock.advance(901);
  const { jar, code } = await service.login(ALICE);
  service.clock.advance(20);
  await service.post('/otp', { otp: code }, jar.clone());
  await service.post('/otp/resend', {}, jar.clone());
  service.clock.advance(50);
  await service.post('/otp', { otp: code }, jar.clone());
  const { jar: other, code: second } = await service.login(ALICE);
  for (const _ of [1, 2, 3]) await service.post('/otp', { otp: wrongCode(second) }, other);
  await service.get('/nowhere');

  t.strictSame(await samples(metrics, 'sign_ins_total'), [
    '{outcome="invalid_credentials"} 1',
    '{outcome="too_many_requests"} 1',
    '{outcome="ok"} 2',
  ]);
  t.strictSame(await samples(metrics, 'checks_total'), [
    '{flow="sign_in",outcome="ok"} 1',
    '{flow="sign_in",outcome="otp_expired_right"} 1',
    '{flow="sign_in",outcome="otp_invalid"} 2',
    '{flow="sign_in",outcome="account_locked"} 1',
  ]);
  t.strictSame(await samples(metrics, 'resends_total'), ['{flow="sign_in",outcome="otp_used"} 1']);
  t.strictSame(await samples(metrics, 'account_locks_total'), ['{flow="sign_in"} 1', '{flow="verification"} 0']);
  t.strictSame(await samples(metrics, 'limits_hit_total'), [
    '{limit="password-pair"} 1',
    '{limit="account-failures"} 1',
  ]);
  t.strictSame(await samples(metrics, 'code_age_seconds_sum'), ['{flow="sign_in"} 90']);
  t.strictSame(
    (await samples(metrics, 'http_request_seconds_count')).filter((line) => !line.includes('"/otp')),
    [
      '{method="POST",route="/login",status="401"} 1',
      '{method="POST",route="/login",status="429"} 1',
      '{method="POST",route="/login",status="200"} 2',
      '{method="GET",route="none",status="404"} 1',
    ],
  );
  t.notMatch(await metrics.page(), /alice|15550100101|555 010/);
});

t.test('each other event has its metric', async (t) => {
  const metrics = createMetrics();
  const tried = { type: 'tried', trace, sender: 'twilio', channel: 'sms', ms: 100 } as const;
  const events: DoorcodeEvent[] = [
    { ...tried, outcome: 'accepted', totalMs: 4100 },
    { ...tried, outcome: 'timeout', reason: 'timeout' },
    { type: 'receipt', sender: 'twilio', channel: 'sms', status: 'delivered' },
    { type: 'receipt', sender: 'twilio', channel: 'sms', status: 'made-up' },
    { type: 'receipt', sender: 'twilio', channel: 'sms', status: undefined },
    { type: 'signed_out', trace, subject: 'alice' },
    { type: 'refused', trace, outcome: 'overloaded' },
    { type: 'clock_behind', trace, seconds: 7 },
    { type: 'asked', trace, flow: 'verification', again: false, outcome: 'ok' },
  ];
  for (const event of events) metrics.events(event);
  metrics.observeStore('add', 2, false);
  metrics.observeStore('add', 200, true);
  const expected: Record<string, string[]> = {
    sends_total: [
      '{sender="twilio",channel="sms",outcome="accepted"} 1',
      '{sender="twilio",channel="sms",outcome="timeout"} 1',
    ],
    acceptance_seconds_sum: ['{sender="twilio",channel="sms"} 4.1'],
    receipts_total: [
      '{sender="twilio",channel="sms",status="delivered"} 1',
      '{sender="twilio",channel="sms",status="other"} 2',
    ],
    sign_outs_total: [' 1'],
    requests_refused_total: ['{outcome="overloaded"} 1'],
    clock_behind_total: [' 1'],
    clock_behind_seconds: [' 7'],
    verifications_total: ['{outcome="ok"} 1'],
    store_seconds_count: ['{operation="add",outcome="ok"} 1', '{operation="add",outcome="failed"} 1'],
  };
  for (const [name, lines] of Object.entries(expected)) t.strictSame(await samples(metrics, name), lines, name);
});

t.test('what alerts look for is there before it happens: the first time would not be seen as one', async (t) => {
  const metrics = createMetrics();
  t.strictSame(await samples(metrics, 'account_locks_total'), ['{flow="sign_in"} 0', '{flow="verification"} 0']);
  t.strictSame(await samples(metrics, 'requests_refused_total'), ['{outcome="overloaded"} 0']);
});

t.test('what is, is asked for when somebody looks', async (t) => {
  const metrics = createMetrics();
  t.strictSame(await samples(metrics, 'breaker_state'), []);
  let open = false;
  const sources: MetricSources = {
    version: '1.2.3',
    guessBudget: { guessesPerDay: 195, perDay: 0.000195, perYear: 0.036, perCode: 0.000005 },
    breakers: () => ({ twilio: open ? 'open' : 'closed' }),
    hashing: () => ({ running: 3, waiting: 12 }),
    degraded: () => open,
    droppedLines: () => (open ? 7 : 3),
  };
  metrics.watch(sources);
  t.strictSame(await samples(metrics, 'breaker_state'), [
    '{sender="twilio",state="closed"} 1',
    '{sender="twilio",state="half_open"} 0',
    '{sender="twilio",state="open"} 0',
  ]);
  t.strictSame(await samples(metrics, 'store_degraded'), [' 0']);
  t.strictSame(await samples(metrics, 'log_lines_dropped_total'), [' 3']);
  open = true;
  t.match(await samples(metrics, 'breaker_state'), [/closed"} 0/, /half_open"} 0/, /open"} 1/]);
  t.strictSame(await samples(metrics, 'store_degraded'), [' 1']);
  t.strictSame(await samples(metrics, 'log_lines_dropped_total'), [' 7']);
  t.strictSame(await samples(metrics, 'hashing_tasks'), ['{state="running"} 3', '{state="waiting"} 12']);
  t.strictSame(await samples(metrics, 'guess_budget_guesses'), [' 195']);
  t.strictSame(await samples(metrics, 'guess_budget_ratio'), ['{period="day"} 0.000195', '{period="year"} 0.036']);
  t.strictSame(await samples(metrics, 'build_info'), ['{version="1.2.3"} 1']);
  metrics.watch({ ...sources, hashing: undefined });
  await metrics.page();
});

t.test('names are ours, with their units; the event loop is among them', async (t) => {
  const { described, contentType, page } = createMetrics();
  const names = () => described().map(({ name }) => name);
  for (const name of names()) t.match(name, /^doorcode_[a-z0-9_]+$/);
  t.ok(names().includes('doorcode_nodejs_eventloop_lag_p99_seconds'));
  t.match(contentType, /^text\/plain; version=0\.0\.4/);
  t.match(await page(), /^# HELP doorcode_/);
});
