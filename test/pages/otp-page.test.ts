import t from 'tap';
import { en } from '../../src/pages/locales/en.ts';
import type { PageMessage } from '../../src/pages/message.ts';
import { loginLink, type OtpView, otpPage } from '../../src/pages/otp-page.ts';

const SETTINGS = { otpDigits: 6, otpTtlSeconds: 60, channels: ['sms', 'voice'] as const };
const VIEW: OtpView = {
  user: 'alice',
  to: '•••01',
  channel: 'sms',
  about: 'id',
  next: '/',
  expiresInMs: 47_001,
  resendInMs: 17_000,
  attemptsLeft: 5,
};

interface Shown {
  readonly mayGuess: boolean;
  readonly ways: readonly { readonly channel: string; readonly label: string }[];
  readonly tries: string;
  readonly sent: string;
  readonly timeLeft: { readonly before: string; readonly time: string; readonly after: string };
  readonly nextCode: { readonly before: string; readonly time: string; readonly after: string };
  readonly resendInMs: number;
}

const shown = (view: Partial<OtpView> = {}, message?: PageMessage, settings: Partial<typeof SETTINGS> = {}) =>
  otpPage({ ...VIEW, ...view }, message, { ...SETTINGS, ...settings }, en) as Shown;

t.test('the page offers what can still help, and nothing else', async (t) => {
  const offers: [view: Partial<OtpView>, message: PageMessage | undefined, { code: boolean; resend: boolean }][] = [
    [{}, undefined, { code: true, resend: true }],
    [{ attemptsLeft: undefined }, undefined, { code: true, resend: true }],
    [{ attemptsLeft: 1 }, { code: 'otp_invalid', attemptsLeft: 1 }, { code: true, resend: true }],
    [{ attemptsLeft: 0 }, { code: 'otp_invalid', attemptsLeft: 0 }, { code: false, resend: true }],
    [{ attemptsLeft: 0 }, { code: 'otp_attempts_exhausted' }, { code: false, resend: true }],
    [{ expiresInMs: 0 }, { code: 'otp_expired' }, { code: false, resend: true }],
    [{ expiresInMs: -1 }, { code: 'too_many_requests' }, { code: false, resend: true }],
    [{}, { code: 'otp_used' }, { code: false, resend: false }],
    [{}, { code: 'account_locked', retryAfterSeconds: 900 }, { code: false, resend: false }],
    [{}, { code: 'too_many_requests', retryAfterSeconds: 30 }, { code: true, resend: true }],
    [{}, { code: 'delivery_failed' }, { code: true, resend: true }],
    [{}, { code: 'limits_unavailable' }, { code: true, resend: true }],
    [{}, { code: 'invalid_request' }, { code: true, resend: true }],
  ];
  for (const [view, message, { code, resend }] of offers) {
    const { mayGuess, ways } = shown(view, message);
    t.strictSame({ code: mayGuess, resend: ways.length > 0 }, { code, resend }, JSON.stringify([view, message]));
  }
});

t.test('a new code is offered by the ways that there are, the one before first', async (t) => {
  const labels = (view: Partial<OtpView>, channels = SETTINGS.channels as readonly ('sms' | 'voice')[]) =>
    shown(view, undefined, { channels } as never).ways.map(({ channel, label }) => `${channel}: ${label}`);
  t.strictSame(labels({}), ['sms: Text me again', 'voice: Call me instead']);
  t.strictSame(labels({ channel: 'voice' }), ['voice: Call me again', 'sms: Text me instead']);
  t.strictSame(labels({}, ['sms']), ['sms: Text me again']);
  t.strictSame(labels({}, ['voice']), ['voice: Call me instead']);
});

t.test('it says where the code went, in one piece', async (t) => {
  t.equal(shown({ to: '+1 ••• 01' }).sent, 'We sent a code by text message to +1\u00a0•••\u00a001.');
  t.equal(shown({ channel: 'voice' }).sent, 'We are calling •••01 with your code.');
});

t.test('times are told in minutes and seconds, never as shorter than they are', async (t) => {
  const times: [ms: number, text: string][] = [
    [60_000, '1:00'],
    [59_999, '1:00'],
    [59_000, '0:59'],
    [1, '0:01'],
    [0, '0:00'],
    [-5000, '0:00'],
    [600_000, '10:00'],
  ];
  for (const [ms, time] of times) {
    t.strictSame(shown({ expiresInMs: ms }).timeLeft, { before: '', time, after: ' left' });
    t.equal(shown({ resendInMs: ms }).nextCode.time, time);
  }
  t.equal(shown({ resendInMs: -1 }).resendInMs, 0);
});

t.test('guesses that are left are told once, and not when nobody knows', async (t) => {
  t.equal(shown().tries, '5 tries left.');
  t.equal(shown({ attemptsLeft: 1 }).tries, 'One try left.');
  t.equal(shown({ attemptsLeft: undefined }).tries, '');
  t.equal(shown({ attemptsLeft: 4 }, { code: 'otp_invalid', attemptsLeft: 4 }).tries, '');
});

t.test('who begins again with another account still goes where they wanted to', async (t) => {
  t.equal(loginLink('/'), '/login');
  t.equal(loginLink('/a?b=1&c'), '/login?next=%2Fa%3Fb%3D1%26c');
});
