import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import type { DoorcodeEvent } from '../../src/events.ts';
import { createLogger } from '../../src/http/logging.ts';
import { createEventLog } from '../../src/telemetry/event-log.ts';
import { createSubjectHash } from '../../src/telemetry/subject.ts';
import { ALICE, PASSWORD, type TestApp, testApp, wrongCode } from '../support/build-app.ts';

/** The lines of events since the last call, without what differs from run to run. */
function eventsOf({ logs }: TestApp) {
  const lines = logs.splice(0).map((line) => JSON.parse(line));
  return lines
    .filter(({ event }) => event !== undefined)
    .map(({ time, service, reqId, ...fields }) => {
      if (typeof reqId !== 'string' || !/^[\w-]{8}-\d+$/.test(reqId)) throw new Error('no request id');
      return fields;
    });
}

t.test('a sign-in, in the words of the vocabulary', async (t) => {
  const service = await testApp();
  const subject = createSubjectHash(service.config.masterKeys[0] as Buffer)('alice');
  const about = { subject, flow: 'sign_in', to: '+1 ••• ••• ••01', channel: 'sms' };
  service.onDeliver(() => service.clock.advance(2));
  const { jar, code } = await service.login(ALICE);
  t.strictSame(eventsOf(service), [
    {
      level: 30,
      event: 'authn_token_created',
      ...about,
      again: false,
      directoryMs: 0,
      outcome: 'ok',
      sender: 'test',
      acceptedMs: 2000,
      msg: `authn_token_created:${subject}`,
    },
  ]);
  service.clock.advance(3);
  await service.post('/otp', { otp: wrongCode(code) }, jar);
  t.strictSame(eventsOf(service), [
    {
      level: 30,
      event: 'authn_login_fail',
      ...about,
      ageMs: 3000,
      outcome: 'otp_invalid',
      attemptsLeft: 4,
      msg: `authn_login_fail:${subject}`,
    },
  ]);
  await service.post('/otp', { otp: code }, jar.clone());
  t.match(eventsOf(service), [
    { level: 30, event: 'authn_login_success', ...about, outcome: 'ok', msg: `authn_login_success:${subject}` },
  ]);
  await service.post('/otp', { otp: code }, jar.clone());
  t.match(eventsOf(service), [{ level: 40, event: 'authn_token_reuse', outcome: 'otp_used', subject }]);
  await service.post('/otp/resend', {}, jar.clone());
  t.match(eventsOf(service), [{ level: 40, event: 'authn_token_reuse', again: true, outcome: 'otp_used', subject }]);
  await service.post('/otp', { otp: code }, jar);
  const signedIn = await service.login(ALICE);
  await service.post('/otp', { otp: signedIn.code }, signedIn.jar);
  eventsOf(service);
  await service.post('/logout', undefined, signedIn.jar);
  t.strictSame(eventsOf(service), [
    { level: 30, event: 'session_expired', subject, msg: `session_expired:${subject},logout` },
  ]);
});

t.test('what failed, and how', async (t) => {
  const service = await testApp({ env: { LIMIT_ACCOUNT_FAILURES: '3', LIMIT_PASSWORD_PAIR: '2/900' } });
  const words = () => eventsOf(service).map(({ event, outcome, limit }) => [event, outcome, limit]);

  await service.post('/login', { username: 'alice', password: 'wrong' });
  t.strictSame(words(), [['authn_login_fail', 'invalid_credentials', undefined]]);
  await service.post('/login', { username: 'alice', password: 'wrong' });
  await service.post('/login', { username: 'alice', password: 'wrong' });
  t.strictSame(words().slice(1), [['excess_rate_limit_exceeded', 'too_many_requests', 'password-pair']]);
  service.clock.advance(901);

  const { jar, code } = await service.login(ALICE);
  service.clock.advance(60);
  eventsOf(service);
  const late = await service.post('/otp', { otp: code }, jar);
  t.strictSame(words(), [['authn_login_fail', 'otp_expired_right', undefined]], 'the right code after its time');
  const wrong = await service.post('/otp', { otp: wrongCode(code) }, jar);
  t.strictSame(words(), [['authn_login_fail', 'otp_expired', undefined]]);
  t.equal(late.body, wrong.body, 'the client is told the same of both');
  t.equal(late.statusCode, 410);

  const next = await service.login(ALICE);
  for (let guess = 0; guess < 3; guess += 1) await service.post('/otp', { otp: wrongCode(next.code) }, next.jar);
  const locked = eventsOf(service).slice(-2);
  t.match(locked, [
    { event: 'authn_login_lock', level: 40, seconds: 900, msg: /^authn_login_lock:[\w-]{16},maxretries$/ },
    { event: 'authn_login_fail', outcome: 'otp_invalid' },
  ]);
  await service.post('/otp', { otp: next.code }, next.jar);
  t.strictSame(words(), [['authn_login_fail', 'account_locked', 'account-failures']]);
  const { body } = await service.post('/login', { username: 'alice', password: PASSWORD });
  t.match(body, 'invalid_credentials');
  t.strictSame(words(), [['authn_login_fail', 'account_locked', 'account-failures']], 'only the log tells of the lock');

  service.failDelivery(new DoorcodeError('delivery_failed'));
  await service.post('/login', { username: 'bob', password: PASSWORD });
  t.strictSame(words(), [['authn_delivery_fail', 'delivery_failed', undefined]]);
  await service.post('/otp', { otp: '123456' });
  t.strictSame(words(), [['authn_login_fail', 'challenge_missing', undefined]]);
  await service.post('/otp', { otp: 'none' });
  t.strictSame(words(), [['input_validation_fail', 'invalid_request', undefined]]);
  await service.post('/otp', { otp: '123456' }, undefined, { origin: 'https://elsewhere.example' });
  t.strictSame(words(), [['malicious_cors', 'cross_site_request', undefined]]);
  await service.post('/verifications', { to: '+15550100103' });
  t.strictSame(words(), [['authz_fail', 'not_authenticated', undefined]]);
});

t.test('guesses that are used up', async (t) => {
  const service = await testApp({ env: { OTP_ATTEMPTS: '1' } });
  const { jar, code } = await service.login();
  await service.post('/otp', { otp: wrongCode(code) }, jar);
  eventsOf(service);
  await service.post('/otp', { otp: code }, jar);
  t.match(eventsOf(service), [{ event: 'authn_login_fail_max', limit: 'otp-attempts', level: 40 }]);
});

t.test('the trace that a request came with is in its line', async (t) => {
  const service = await testApp();
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await service.post('/login', { username: 'alice', password: PASSWORD }, undefined, { traceparent });
  t.match(eventsOf(service), [{ event: 'authn_token_created', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }]);
});

t.test('outages have a word of their own, and nothing is built for a line that is not written', async (t) => {
  const lines: string[] = [];
  let hashed = 0;
  const options = (level: string) => ({
    logger: createLogger({ level, destination: { write: (line) => void lines.push(line) } }),
    mask: () => 'masked',
    hashSubject: () => {
      hashed += 1;
      return 'hashed';
    },
  });
  const asked: DoorcodeEvent = {
    type: 'asked',
    flow: 'sign_in',
    again: false,
    trace: { requestId: '1' },
    subject: 'alice',
    phone: '+15550100101',
    outcome: 'ok',
  };
  createEventLog(options('warn'))(asked);
  t.strictSame([lines.length, hashed], [0, 0]);
  const log = createEventLog(options('warn'));
  for (const outcome of ['limits_unavailable', 'directory_unavailable', 'overloaded', 'internal_error'] as const) {
    log({ ...asked, outcome });
    log({ ...asked, type: 'checked', outcome } as DoorcodeEvent);
  }
  t.equal(lines.filter((line) => JSON.parse(line).event === 'authn_unavailable').length, 8);
  log({ type: 'refused', outcome: 'overloaded', trace: { requestId: '1' } });
  t.equal(lines.length, 8, 'an overload is not made worse by a line for each request');
});
