// Fastify with nothing in it, for comparison: the routes take the same body, by the same schema, and answer with as many
// bytes. node bench/bare-server.mjs PORT SET_COOKIE_BYTES
import Fastify from 'fastify';
import { otpBody } from '../dist/sign-in/api.js';

const [port, setCookieBytes] = process.argv.slice(2).map(Number);
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

await app.listen({ port, host: '127.0.0.1' });
process.send?.('listening');
