import { randomBytes } from 'node:crypto';
import t from 'tap';
import { amrOf, parseSession, renewSession, sessionEnd, startSession } from '../../src/session/session.ts';

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
  for (const wrong of [
    { typ: 'challenge' },
    { id: 'short' },
    { exp: session.iat },
    { exp: '9999999999' },
    { seen: '1' },
    { seen: session.iat - 1 },
  ]) {
    t.equal(parseSession({ ...session, ...wrong }, NOW), null, JSON.stringify(wrong));
  }
  for (const value of [undefined, null, 'session', 7, [], [session]]) t.equal(parseSession(value, NOW), null);
});

t.test('a code proves a phone by text or by voice, in the words of RFC 8176', async (t) => {
  t.strictSame(amrOf('sms'), ['otp', 'sms']);
  t.strictSame(amrOf('voice'), ['otp', 'tel']);
});

t.test('a session that is not used ends, and one that is used goes on to its own end', async (t) => {
  const IDLE = 600;
  const after = (seconds: number) => NOW + seconds * 1000;
  let session = start();
  t.ok(parseSession(session, after(599), IDLE));
  t.equal(parseSession(session, after(600), IDLE), null);
  t.ok(parseSession(session, after(600)), 'where that is not asked for, it goes on');
  t.equal(sessionEnd(session, IDLE), NOW / 1000 + IDLE);

  t.equal(renewSession(session, after(59), IDLE), null, 'not with each request');
  for (let seconds = 500; seconds < 3600; seconds += 500) {
    const renewed = renewSession(session, after(seconds), IDLE);
    t.strictSame(renewed, { ...session, seen: NOW / 1000 + seconds }, 'the same but for when it was seen');
    session = renewed ?? session;
    t.ok(parseSession(session, after(Math.min(seconds + 599, 3599)), IDLE));
  }
  t.equal(sessionEnd(session, IDLE), session.exp);
  t.equal(parseSession(session, after(3600), IDLE), null);
});

t.test('a replica whose clock is behind does not take back what another has seen', async (t) => {
  const session = { ...start(), seen: NOW / 1000 + 300 };
  t.equal(renewSession(session, NOW, 600), null);
  t.ok(parseSession(session, NOW, 600));
});
