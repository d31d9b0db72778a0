import type { ServerResponse } from 'node:http';
import t from 'tap';
import { createInbox } from '../../src/phone-simulator/inbox.ts';
import { createNetwork } from '../../src/phone-simulator/network.ts';
import { plivoEndpoint } from '../../src/phone-simulator/plivo.ts';
import type { Answer, Callback, Endpoint, Order } from '../../src/phone-simulator/provider.ts';
import { fakeClock } from '../support/fake-clock.ts';

const HOOK = 'http://127.0.0.1:3000/hook';
const keys = { token: 'token', signingKey: 'token' };
const text: Order = {
  to: '+15550100100',
  from: '+15550100199',
  text: 'Hello',
  receipt: { url: HOOK, method: 'POST', events: [] },
};

function setup(resource: 'Message' | 'Call' = 'Message', answered: { status: number; text: string } | null = null) {
  const clock = fakeClock();
  const inbox = createInbox();
  const called: Callback[] = [];
  const timers: { ms: number; callback: () => void }[] = [];
  const answers: Answer[] = [];
  const sent: string[] = [];
  const caller = {
    made: [],
    call: async (callback: Callback) => {
      called.push(callback);
      return answered;
    },
    close() {},
  };
  const network = createNetwork({
    inbox,
    caller,
    clock,
    schedule: (ms, callback) => void timers.push({ ms, callback }),
  });
  const response = {
    socket: { destroy: () => sent.push('destroyed') },
    writeHead: (status: number) => sent.push(`${status}`),
    write: () => sent.push('half'),
  } as unknown as ServerResponse;
  const endpoint = plivoEndpoint(`/v1/Account/MA1/${resource}/`) as Endpoint;
  const carry = (order: Order, fault: Parameters<typeof network.carry>[1]) =>
    network.carry({ endpoint, order, keys, response, answer: (given) => void answers.push(given) }, fault);
  const statuses = () => called.map(({ fields }) => fields['Status']);
  return { network, inbox, called, timers, answers, sent, carry, statuses, clock };
}

t.test('a message is accepted, arrives, and is told of', async (t) => {
  const { network, inbox, answers, carry, statuses, clock } = setup();
  carry(text, null);
  await network.idle();
  t.match(answers, [{ status: 202 }]);
  t.match(inbox.messages, [{ provider: 'plivo', text: 'Hello', at: clock(), statusCallback: HOOK }]);
  t.strictSame(statuses(), ['sent', 'delivered']);
});

t.test('faults that refuse: nothing arrives and nothing is told', async (t) => {
  for (const [fault, status] of [
    ['rejected', 400],
    ['opted_out', 400],
    ['too_many_requests', 429],
    ['server_error', 500],
  ] as const) {
    const { network, inbox, answers, carry, called } = setup();
    carry(text, fault);
    await network.idle();
    t.match(answers, [{ status }], fault);
    t.strictSame([inbox.messages.length, called.length], [0, 0]);
  }
});

t.test('reset and hang give no answer', async (t) => {
  for (const [fault, seen] of [
    ['reset', ['destroyed']],
    ['hang', []],
  ] as const) {
    const { network, inbox, answers, carry, sent } = setup();
    carry(text, fault);
    await network.idle();
    t.strictSame([answers, sent, inbox.messages.length], [[], seen, 0], fault);
  }
});

t.test('accepted, then hang: it arrives, and half the answer', async (t) => {
  const { network, inbox, answers, carry, sent } = setup();
  carry(text, 'accepted_hang');
  await network.idle();
  t.strictSame([answers, sent, inbox.messages.length], [[], ['202', 'half'], 1]);
});

t.test('slow: nothing happens for three seconds', async (t) => {
  const { network, inbox, answers, carry, timers } = setup();
  carry(text, 'slow');
  await network.idle();
  t.strictSame([answers.length, inbox.messages.length], [0, 0]);
  t.match(timers, [{ ms: 3000 }]);
  timers[0]?.callback();
  await network.idle();
  t.match([answers, inbox.messages.length], [[{ status: 202 }], 1]);
});

t.test('duplicate: it arrives twice under one id', async (t) => {
  const { network, inbox, answers, carry, statuses } = setup();
  carry(text, 'duplicate');
  await network.idle();
  t.equal(answers.length, 1);
  t.equal(inbox.messages.length, 2);
  t.equal(inbox.messages[0]?.id, inbox.messages[1]?.id);
  t.strictSame(statuses(), ['sent', 'delivered']);
});

t.test('undelivered: accepted, never there, and told so', async (t) => {
  const { network, inbox, answers, carry, statuses } = setup();
  carry(text, 'undelivered');
  await network.idle();
  t.match([answers, inbox.messages.length], [[{ status: 202 }], 0]);
  t.strictSame(statuses(), ['sent', 'undelivered']);
});

t.test('a call that is picked up asks for its words', async (t) => {
  const call: Order = { to: text.to, from: text.from, text: '', answer: { url: HOOK, method: 'POST' } };
  for (const [answered, message] of [
    [
      { status: 200, text: '<Response><Speak language="es-ES">Hola</Speak></Response>' },
      { text: 'Hola', language: 'es-ES' },
    ],
    [
      { status: 200, text: '<html>' },
      { text: '', error: /no XML/ },
    ],
    [
      { status: 404, text: '<Response><Speak>Hi</Speak></Response>' },
      { text: '', error: /404/ },
    ],
    [null, { text: '', error: /did not answer/ }],
  ] as const) {
    const { network, inbox, called, carry } = setup('Call', answered);
    carry(call, null);
    await network.idle();
    t.match(called, [{ url: HOOK, fields: { Event: 'StartApp' } }]);
    t.match(inbox.messages, [{ channel: 'voice', ...message }]);
  }
  const { network, inbox, called, carry } = setup('Call');
  carry(call, 'undelivered');
  await network.idle();
  t.strictSame([called, inbox.messages], [[], []], 'nobody picks up');
});
