import t from 'tap';
import { testApp } from '../support/build-app.ts';

t.test('a session is current until it ends or is revoked', async (t) => {
  const { login, post, get, clock } = await testApp({ env: { SESSION_TTL: '3600' } });
  const { jar, code } = await login();
  t.equal((await get('/session', jar)).statusCode, 401, 'not before the second factor');
  await post('/otp', { otp: code }, jar);
  clock.advance(3599);
  t.equal((await get('/session', jar)).statusCode, 200);
  clock.advance(1);
  t.equal((await get('/session', jar)).json().code, 'not_authenticated');
});
