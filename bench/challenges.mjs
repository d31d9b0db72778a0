// Open logins and sessions, sealed as the service seals them, and the requests that bring them.
import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import { draft, open } from '../dist/challenge/challenge.js';
import { createCodec } from '../dist/seal/codec.js';
import { deriveKeys } from '../dist/seal/keys.js';
import { startSession } from '../dist/session/session.js';

const PREFIX = '__Host-doorcode-';
let serial = 0;

/** @param {Buffer} masterKey the service's own */
export async function createVisitors(masterKey) {
  const codec = await createCodec(Fastify(), deriveKeys([masterKey]));
  const cookie = (purpose, payload) => `${PREFIX}${purpose}=${encodeURIComponent(codec.seal(purpose, payload))}`;

  /** Somebody who has typed the password, and the code that was sent. */
  function login() {
    serial += 1;
    const drafted = draft(randomBytes, 6);
    const now = Date.now();
    const fields = {
      sub: `user${serial}`,
      phone: '+15550100101',
      locale: 'en',
      channel: 'sms',
      loginAt: Math.floor(now / 1000),
      next: '/',
    };
    return { code: drafted.code, cookie: cookie('challenge', open(drafted, fields, now, 600)) };
  }

  return {
    /** `POST /otp` with the right code, by as many people. */
    right: (count) => Array.from({ length: count }, () => post(login(), (code) => code)),
    /** The same with wrong ones: four of each person, less than close a challenge. */
    wrong: (count) =>
      Array.from({ length: Math.ceil(count / 4) }, login).flatMap((person) =>
        [1, 2, 3, 4].map((n) => post(person, (code) => String((Number(code) + n) % 1_000_000).padStart(6, '0'))),
      ),
    /** `GET path` by people who are signed in. */
    signedIn: (path, count) =>
      Array.from({ length: count }, (_, n) => {
        const session = startSession({ sub: `user${n}`, channel: 'sms' }, Date.now(), 43_200, randomBytes);
        return get(path, `cookie: ${cookie('session', session)}\r\n`);
      }),
  };
}

export function get(path, headers = '') {
  return `GET ${path} HTTP/1.1\r\nhost: login.example.com\r\naccept: application/json\r\n${headers}\r\n`;
}

function post({ code, cookie }, guess) {
  const body = JSON.stringify({ otp: guess(code) });
  return (
    `POST /otp HTTP/1.1\r\nhost: login.example.com\r\naccept: application/json\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\ncookie: ${cookie}\r\n\r\n${body}`
  );
}
