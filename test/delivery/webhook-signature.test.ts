import { createHmac } from 'node:crypto';
import t from 'tap';
import { sign, verifySignature } from '../../src/delivery/webhook-signature.ts';

const secret = 'a shared secret';
const body = '{"code":"123456","text":"Zoë"}';
const now = 1_767_225_600;
const header = sign(body, secret, now);

t.test('HMAC-SHA-256 is the published one', async (t) => {
  // RFC 4231 §4.3, key "Jefe"; its data begins where our "t." would, so the receiver's own formula stands in.
  const mac = createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex');
  t.equal(mac, '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  t.equal(header, `t=${now},v1=${createHmac('sha256', secret).update(`${now}.${body}`).digest('hex')}`);
});

t.test('a receiver accepts what was signed lately, as text or as bytes', async (t) => {
  t.ok(verifySignature(header, body, secret, now));
  t.ok(verifySignature(header, Buffer.from(body), secret, now));
  t.ok(verifySignature(header, body, secret, now + 300));
  t.ok(verifySignature(header, body, secret, now - 300));
  t.ok(verifySignature(header, body, secret, now + 5, 5));
});

t.test('a receiver refuses everything else', async (t) => {
  const [time, mac] = header.split(',');
  for (const [what, ok] of [
    ['too old', verifySignature(header, body, secret, now + 301)],
    ['too new', verifySignature(header, body, secret, now - 301)],
    ['beyond the tolerance', verifySignature(header, body, secret, now + 6, 5)],
    ['another secret', verifySignature(header, body, 'another', now)],
    ['another body', verifySignature(header, `${body} `, secret, now)],
    ['another time', verifySignature(`t=${now + 1},${mac}`, body, secret, now)],
    ['no header', verifySignature(undefined, body, secret, now)],
    ['an empty header', verifySignature('', body, secret, now)],
    ['no signature', verifySignature(`${time}`, body, secret, now)],
    ['no time', verifySignature(`${mac}`, body, secret, now)],
    ['a short signature', verifySignature(header.slice(0, -2), body, secret, now)],
    ['a long signature', verifySignature(`${header}00`, body, secret, now)],
    ['another scheme', verifySignature(header.replace('v1', 'v0'), body, secret, now)],
    ['a time that is no number', verifySignature(`t=NaN,${mac}`, body, secret, now)],
    [
      'the wrong digit',
      verifySignature(
        header.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
        body,
        secret,
        now,
      ),
    ],
  ] as const) {
    t.equal(ok, false, what);
  }
});
