// Fastify with nothing in it, for comparison: the routes take the same body, by the same schema, and answer with as many
// bytes. node bench/bare-server.mjs PORT SET_COOKIE_BYTES MASTER_KEY
//
// `/least` does besides what a right code cannot do without, by hand and with nothing checked: it opens the challenge,
// computes the code, counts, seals a session and sends helmet's headers. With these libraries there is no less.
import { createHmac } from 'node:crypto';
import Fastify from 'fastify';
import sodium from 'sodium-native';
import { registerSecurityHeaders } from '../dist/http/security-headers.js';
import { deriveKeys } from '../dist/seal/keys.js';
import { otpBody } from '../dist/sign-in/api.js';

const [port, setCookieBytes] = process.argv.slice(2, 4).map(Number);
const app = Fastify();
const setCookie = `c=${'x'.repeat(setCookieBytes - 2)}`;
const answer = (members) => ({ 200: { type: 'object', properties: members } });
const text = { type: 'string' };

const signedIn = { status: 'authenticated', user: 'user123', expiresAt: '2030-01-01T12:00:00Z', next: '/' };
app.post(
  '/right',
  { schema: { body: otpBody(6), response: answer({ status: text, user: text, expiresAt: text, next: text }) } },
  async (_request, reply) => {
    reply.header('set-cookie', setCookie);
    return signedIn;
  },
);

const refused = { status: 403, code: 'otp_invalid', title: 'Invalid one-time password', attemptsLeft: 4 };
const number = { type: 'number' };
app.post(
  '/wrong',
  {
    schema: {
      body: otpBody(6),
      response: {
        403: { type: 'object', properties: { status: number, code: text, title: text, attemptsLeft: number } },
      },
    },
  },
  async (_request, reply) => {
    reply.code(403);
    return refused;
  },
);

const someone = { status: 'authenticated' };
app.get('/auth', { schema: { response: answer({ status: text }) } }, async () => someone);

const keys = deriveKeys([Buffer.from(process.argv[4] ?? '', 'base64')]);
const counts = new Map();
await app.register(async (room) => {
  registerSecurityHeaders(room, {});
  room.post(
    '/least',
    { schema: { body: otpBody(6), response: answer({ status: text, user: text, expiresAt: text, next: text }) } },
    async (request, reply) => {
      const [cipher, nonce] = decodeURIComponent(request.headers.cookie.split('=')[1]).split(';');
      const sealed = Buffer.from(cipher, 'base64');
      const message = Buffer.allocUnsafe(sealed.length - sodium.crypto_secretbox_MACBYTES);
      sodium.crypto_secretbox_open_easy(message, sealed, Buffer.from(nonce, 'base64'), keys.challenge[0]);
      const challenge = JSON.parse(message);
      counts.set(challenge.id, (counts.get(challenge.id) ?? 0) + 1);
      counts.set(challenge.sub, (counts.get(challenge.sub) ?? 0) + 1);
      const step = Buffer.alloc(8);
      const digest = createHmac('sha1', Buffer.from(challenge.secret, 'latin1')).update(step).digest();
      const code = String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
      counts.set(code === request.body.otp ? challenge.id : challenge.sub, 0);
      const session = Buffer.from(JSON.stringify({ ...signedIn, id: challenge.id, sub: challenge.sub }));
      const box = Buffer.allocUnsafe(session.length + sodium.crypto_secretbox_MACBYTES);
      const fresh = Buffer.allocUnsafe(sodium.crypto_secretbox_NONCEBYTES);
      sodium.randombytes_buf(fresh);
      sodium.crypto_secretbox_easy(box, session, fresh, keys.session[0]);
      const value = encodeURIComponent(`${box.toString('base64')};${fresh.toString('base64')}`);
      reply.header('set-cookie', `c=${value}; Path=/; HttpOnly; Secure; SameSite=Lax`);
      reply.header('set-cookie', 'd=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict');
      return signedIn;
    },
  );
});

await app.listen({ port, host: '127.0.0.1' });
process.send?.('listening');
