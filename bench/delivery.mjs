// 100 messages through the SignalWire sender, beside the same 100 requests by a bare undici client, to the phone
// simulator over TLS: interleaved rounds in one run, medians, and how many TLS connections the sender opened.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'undici';
import { createCompatibilitySender } from '../dist/delivery/compatibility.js';
import { median, spread } from './statistics.mjs';

const MESSAGES = 100;
const ROUNDS = 31;
/** Rounds before the first that counts: what runs for days has been compiled. */
const WARM_UP = 8;
const ACCOUNT = 'bench-project';
const TOKEN = 'token';
const FROM = '+15550100199';
const message = {
  channel: 'sms',
  to: '+15550100101',
  text: 'Your doorcode code is 123456. Do not share it.\n@login.example.com #123456',
  code: '123456',
  locale: 'en',
  expiresAt: 0,
};

async function timed(send) {
  const start = performance.now();
  for (let i = 0; i < MESSAGES; i += 1) await send();
  return performance.now() - start;
}

/** @returns {Promise<{ name: string, figure: string, target: string, met: boolean }[]>} */
export async function benchDelivery() {
  const server = fork(new URL('./phone-process.mjs', import.meta.url));
  const [{ host, ca }] = await once(server, 'message');
  const count = async () => {
    server.send('count');
    const [{ connections }] = await once(server, 'message');
    return connections;
  };

  const sender = createCompatibilitySender({
    name: 'signalwire',
    host,
    account: ACCOUNT,
    token: TOKEN,
    from: FROM,
    connect: { ca },
  });
  await sender.ready();
  const signal = new AbortController().signal;
  const throughSender = () => sender.send(message, signal);

  const agent = new Agent({ connections: 1, pipelining: 1, connect: { ca } });
  const authorization = `Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64')}`;
  const bare = async () => {
    const response = await agent.request({
      origin: `https://${host}`,
      path: `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`,
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ To: message.to, From: FROM, Body: message.text }).toString(),
    });
    await response.body.json();
  };

  const before = await count();
  await timed(throughSender);
  const opened = (await count()) - before;
  for (let round = 0; round < WARM_UP; round += 1) {
    await timed(bare);
    await timed(throughSender);
  }

  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Whoever goes second meets a warmer machine: they take turns.
    const first = round % 2 === 0 ? [throughSender, bare] : [bare, throughSender];
    const times = new Map();
    for (const send of first) times.set(send, await timed(send));
    rounds.push({ sender: times.get(throughSender), bare: times.get(bare) });
  }
  await Promise.all([sender.close(), agent.close()]);
  server.disconnect();

  const ratios = rounds.map((round) => round.sender / round.bare);
  const ms = (name) => median(rounds.map((round) => round[name])).toFixed(1);
  return [
    {
      name: `${MESSAGES} messages through SignalWire over a bare undici client`,
      figure: `${median(ratios).toFixed(2)} (${spread(ratios)}; ${ms('sender')} ms and ${ms('bare')} ms)`,
      target: '≤ 1.3',
      met: median(ratios) <= 1.3,
    },
    { name: `TLS connections for ${MESSAGES} messages`, figure: String(opened), target: '1', met: opened === 1 },
  ];
}
