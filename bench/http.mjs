// The routes that are asked most, beside Fastify with nothing in it: the server on one core, the load from the other,
// rounds of both in turn.
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createVisitors } from './challenges.mjs';
import { productionEnv } from './doorcode-env.mjs';
import { freePort } from './gateways.mjs';
import { createAppetite, load, startServer } from './load.mjs';
import { ratioRow } from './statistics.mjs';

const ROUNDS = 3;
/** Rounds before the first that counts, while the code is being compiled. */
const WARM_UP = 2;
/** Of two figures that lie close together. */
const GROWTH_ROUNDS = 5;
const SECONDS = 1;
/** How many requests a round begins with. Bare Fastify, which looks into none of them, gets the same ones over and over. */
const LEAST = 10_000;

const BARE = fileURLToPath(new URL('./bare-server.mjs', import.meta.url));
const toBare = (requests, path) => requests.map((request) => request.replace('POST /otp ', `POST ${path} `));

/** How many bytes of Set-Cookie a right code is answered with, names included. */
async function setCookieBytes(url, request) {
  const [head, body] = request.split('\r\n\r\n');
  const cookie = /^cookie: (.*)$/m.exec(head)[1];
  const response = await fetch(`${url}/otp`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json' },
    body,
  });
  if (!response.ok) throw new Error(`a right code was answered ${response.status}`);
  return response.headers.getSetCookie().join('\r\nset-cookie: ').length;
}

export async function benchHttp(folder) {
  const key = randomBytes(32);
  const visitors = await createVisitors(key);
  const [port, barePort] = [await freePort(), await freePort()];
  const ours = await startServer({ env: productionEnv(port, key), words: 'doorcode listens' });
  const url = `http://127.0.0.1:${port}`;
  const bareUrl = `http://127.0.0.1:${barePort}`;
  const bytes = await setCookieBytes(url, visitors.right(1)[0]);
  const bare = await startServer({ script: BARE, args: [barePort, bytes, key.toString('base64')] });

  const people = visitors.signedIn('/auth', 1000);
  const kinds = {
    right: { make: visitors.right, refused: 0, appetite: createAppetite(LEAST) },
    wrong: { make: visitors.wrong, refused: 1, appetite: createAppetite(LEAST) },
    auth: { make: () => people, refused: 0, appetite: createAppetite(LEAST) },
  };
  const rates = { right: [], wrong: [], auth: [], least: [] };
  try {
    for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
      const counts = round >= WARM_UP;
      for (const [kind, { make, refused, appetite }] of Object.entries(kinds)) {
        const requests = make(appetite.most());
        const options = { folder, seconds: SECONDS };
        const one = await load(url, requests, { ...options, again: kind === 'auth' || !counts });
        appetite.saw(one);
        if (counts && one.refused !== one.requests * refused) throw new Error(`${kind}: ${JSON.stringify(one)}`);
        const askBare = (path) => load(bareUrl, toBare(requests, path), { ...options, again: true });
        const other = await askBare(`/${kind}`);
        if (counts) rates[kind].push([one.perSecond, other.perSecond]);
        if (kind !== 'right') continue;
        const least = await askBare('/least');
        if (counts) rates.least.push([least.perSecond, other.perSecond]);
      }
    }
    const growth = [];
    for (let round = 0; round < GROWTH_ROUNDS; round += 1) {
      const most = kinds.right.appetite.most();
      const [ten, hundred] = [visitors.right(most), visitors.right(most)];
      const one = await load(url, ten, { folder, seconds: SECONDS, connections: 10 });
      const other = await load(url, hundred, { folder, seconds: SECONDS, connections: 100 });
      growth.push(other.perSecond / one.perSecond);
    }
    const row = (kind, what, target) => {
      const middle = (side) => Math.round(rates[kind].map((pair) => pair[side]).sort((a, b) => a - b)[ROUNDS >> 1]);
      return ratioRow(
        `${what} over bare Fastify`,
        rates[kind].map(([one, other]) => one / other),
        target,
        { atLeast: true, note: `${middle(0)} and ${middle(1)} a second` },
      );
    };
    return [
      row('right', 'POST /otp, right code,', 0.65),
      { ...row('least', 'what a right code cannot do without, by hand,', 0), target: '—', met: true },
      row('wrong', 'POST /otp, wrong code,', 0.7),
      row('auth', 'GET /auth', 0.85),
      ratioRow('POST /otp, 100 connections over 10', growth, 0.95, { atLeast: true }),
    ];
  } finally {
    await Promise.all([ours.stop(), bare.stop()]);
  }
}
