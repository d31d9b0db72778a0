import t from 'tap';
import { problems } from '../../src/errors.ts';
import { en } from '../../src/pages/locales/en.ts';
import { localeNames, locales } from '../../src/pages/locales/locales.ts';
import { zh } from '../../src/pages/locales/zh.ts';
import { asksToType, explain, isHint, type PageMessage } from '../../src/pages/message.ts';

t.test('what is wrong, what is left and when to try again is told in words', async (t) => {
  const sentences: [PageMessage, string][] = [
    [{ code: 'otp_invalid', attemptsLeft: 4 }, 'Invalid one-time password. 4 tries left.'],
    [{ code: 'otp_invalid', attemptsLeft: 1 }, 'Invalid one-time password. One try left.'],
    [{ code: 'otp_invalid', attemptsLeft: 0 }, 'Invalid one-time password. No tries left. Please ask for a new code.'],
    [{ code: 'otp_invalid' }, 'Invalid one-time password.'],
    [{ code: 'otp_attempts_exhausted', attemptsLeft: 0 }, 'Too many wrong codes. Please ask for a new code.'],
    [
      { code: 'too_many_requests', retryAfterSeconds: 1 },
      'Too many attempts in a short time. Please try again in 1 s.',
    ],
    [
      { code: 'too_many_requests', retryAfterSeconds: 119 },
      'Too many attempts in a short time. Please try again in 119 s.',
    ],
    [
      { code: 'too_many_requests', retryAfterSeconds: 120 },
      'Too many attempts in a short time. Please try again in 2 min.',
    ],
    [
      { code: 'too_many_requests', retryAfterSeconds: 121 },
      'Too many attempts in a short time. Please try again in 3 min.',
    ],
    [
      { code: 'account_locked', retryAfterSeconds: 900 },
      'Too many wrong codes. This account is locked for a while. Please try again in 15 min.',
    ],
    [
      { code: 'codeSentAlready', retryAfterSeconds: 24 },
      'We have just sent you a code. You can ask for another code in 24 s.',
    ],
    [{ code: 'newerCode' }, 'A newer code was sent from this browser. Please enter that one.'],
  ];
  for (const [message, words] of sentences) t.equal(explain(message, en), words);
  t.equal(explain({ code: 'otp_invalid', attemptsLeft: 4 }, zh), '验证码错误。还可尝试 4 次。');
});

t.test('everything that there is to say has words in every language', async (t) => {
  for (const name of localeNames) {
    const texts = locales[name];
    t.strictSame(Object.keys(texts.problems), Object.keys(problems), name);
    for (const code of [...Object.keys(texts.problems), ...Object.keys(texts.hints)] as PageMessage['code'][]) {
      t.notMatch(explain({ code, attemptsLeft: 3, retryAfterSeconds: 30 }, texts), /undefined|[{}]/, `${name} ${code}`);
    }
  }
});

t.test('a hint is no failure, and asks to type', async (t) => {
  for (const code of ['codeSentAlready', 'newerCode'] as const) {
    t.ok(isHint(code, en));
    t.ok(asksToType({ code }));
  }
  t.notOk(isHint('otp_invalid', en));
  t.ok(asksToType({ code: 'otp_invalid' }));
  t.notOk(asksToType({ code: 'account_locked' }));
});
