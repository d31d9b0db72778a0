import t from 'tap';
import { CookieJar, PASSWORD, testApp } from '../support/build-app.ts';

t.test('what is sent has the code, its number, channel and language, and until when it lives at least', async (t) => {
  const { post, messages, clock } = await testApp();
  clock.advance(0.7);
  const response = await post('/login', { username: 'alice', password: PASSWORD }, new CookieJar());
  t.match(messages[0], {
    channel: 'sms',
    to: '+15550100101',
    code: /^\d{6}$/,
    locale: 'en',
    expiresAt: 1_893_456_060,
  });
  t.equal(response.json().expiresAt, '2030-01-01T00:01:01Z');
});

t.test('the number of digits and the life of a code are as configured', async (t) => {
  const { post, login, clock } = await testApp({ env: { OTP_DIGITS: '8', OTP_TTL: '120' } });
  const { jar, code, response } = await login();
  t.match(code, /^\d{8}$/);
  t.equal(response.json().expiresAt, '2030-01-01T00:02:00Z');
  clock.advance(119);
  t.equal((await post('/otp', { otp: code }, jar)).statusCode, 200);
});
