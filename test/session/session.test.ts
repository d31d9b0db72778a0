import { randomBytes } from 'node:crypto';
import t from 'tap';
import { amrOf, parseSession, startSession } from '../../src/session/session.ts';

const NOW = 1_893_456_000_000;
const start = (channel: 'sms' | 'voice' = 'sms') =>
  startSession({ sub: 'alice', channel }, NOW + 500, 3600, randomBytes);

t.test('a session tells who, how and until when', async (t) => {
  const session = start();
  t.match(session, {
    typ: 'session',
    id: /^[\w-]{22}$/,
    sub: 'alice',
    amr: ['pwd', 'otp', 'sms'],
    iat: NOW / 1000,
    exp: NOW / 1000 + 3600,
  });
  t.strictSame(start('voice').amr, ['pwd', 'otp', 'tel']);
  t.not(start().id, session.id);
});

t.test('a session ends at its second', async (t) => {
  const session = start();
  t.strictSame(parseSession(JSON.parse(JSON.stringify(session)), NOW), session);
  t.ok(parseSession(session, NOW + 3_599_999));
  t.equal(parseSession(session, NOW + 3_600_000), null);
});

t.test('anything amiss is no session', async (t) => {
  const session = start();
  for (const field of Object.keys(session)) {
    for (const value of [undefined, null, '', 0, 1.5, Number.NaN, true, [], {}, ['fax'], [1]]) {
      t.equal(parseSession({ ...session, [field]: value }, NOW), null, `${field}: ${JSON.stringify(value)}`);
    }
  }
  for (const wrong of [{ typ: 'challenge' }, { id: 'short' }, { exp: session.iat }, { exp: '9999999999' }]) {
    t.equal(parseSession({ ...session, ...wrong }, NOW), null, JSON.stringify(wrong));
  }
  for (const value of [undefined, null, 'session', 7, [], [session]]) t.equal(parseSession(value, NOW), null);
});

t.test('a code proves a phone by text or by voice, in the words of RFC 8176', async (t) => {
  t.strictSame(amrOf('sms'), ['otp', 'sms']);
  t.strictSame(amrOf('voice'), ['otp', 'tel']);
});
