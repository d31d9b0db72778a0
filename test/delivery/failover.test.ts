import t from 'tap';
import type { Clock } from '../../src/clock.ts';
import { createDelivery, type DeliveryOptions } from '../../src/delivery/failover.ts';
import { DeliveryError, type Receipt, type Sender } from '../../src/delivery/sender.ts';
import type { TimeoutSignalFactory } from '../../src/delivery/timeout-signal.ts';
import { code, failure, leaks, message, number } from './sender.contract.ts';

type Send = Sender['send'];

const accept: Send = async () => ({ sender: 'whoever', id: '1' });
const refuse =
  (kind: DeliveryError['kind'], reason: string): Send =>
  async () => {
    throw new DeliveryError(kind, reason);
  };
/** Heeds its signal, as a sender should. */
const hang: Send = (_, signal) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new DeliveryError('temporary', 'timeout')));
  });
/** Does not. */
const ignore: Send = () => new Promise<Receipt>(() => {});

/** A delivery whose time the test owns: timers fire when `tick` has come to them. */
function setup(sends: Readonly<Record<string, Send>>, options: Partial<DeliveryOptions> = {}) {
  let now = 1_000;
  const clock: Clock = () => now;
  const timers = new Set<{ at: number; ms: number; fire: () => void }>();
  const started: number[] = [];
  const timeoutSignal: TimeoutSignalFactory = (ms) => {
    const controller = new AbortController();
    const timer = { at: now + ms, ms, fire: () => controller.abort() };
    timers.add(timer);
    started.push(ms);
    return { signal: controller.signal, abort: timer.fire, clear: () => void timers.delete(timer) };
  };
  const tried: string[] = [];
  const senders = Object.entries(sends).map(([name, send]): Sender => {
    const channels = name.endsWith('voice') ? (['voice'] as const) : (['sms'] as const);
    return {
      name,
      channels,
      send(message, signal) {
        tried.push(name);
        return send(message, signal);
      },
    };
  });
  const lines: [string, object, string][] = [];
  const log = {
    info: (fields: object, text: string) => void lines.push(['info', fields, text]),
    warn: (fields: object, text: string) => void lines.push(['warn', fields, text]),
    error: (fields: object, text: string) => void lines.push(['error', fields, text]),
  };
  const delivery = createDelivery({ senders, clock, log, timeoutSignal, ...options });
  /** Lets what is under way come to rest, then moves the time to the next timer. */
  const tick = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    const next = [...timers].sort((a, b) => a.at - b.at)[0];
    if (next) {
      now = next.at;
      next.fire();
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { delivery, tried, lines, timers, started, tick, pass: (ms: number) => (now += ms) };
}

t.test('the first sender that accepts has the message', async (t) => {
  const { delivery, tried, lines, timers } = setup({ first: accept, second: accept });
  t.strictSame(await delivery.deliver(message()), { sender: 'whoever', id: '1' });
  t.strictSame(tried, ['first']);
  t.strictSame(lines, [['info', { sender: 'first', channel: 'sms', id: '1', ms: 0 }, 'message accepted']]);
  t.equal(timers.size, 0);
});

t.test('what is temporary goes on to the next sender', async (t) => {
  const { delivery, tried, lines, timers } = setup({ first: refuse('temporary', 'http_500'), second: accept });
  await delivery.deliver(message());
  t.strictSame(tried, ['first', 'second']);
  t.strictSame(lines, [
    [
      'warn',
      { sender: 'first', channel: 'sms', reason: 'http_500', detail: undefined, kind: 'temporary', ms: 0 },
      'message not accepted',
    ],
    ['info', { sender: 'second', channel: 'sms', id: '1', ms: 0 }, 'message accepted'],
  ]);
  t.equal(timers.size, 0);
});

t.test('what is permanent ends it, and the next sender sees nothing', async (t) => {
  const { delivery, tried, lines } = setup({ first: refuse('permanent', 'number'), second: accept });
  await t.rejects(delivery.deliver(message()), { code: 'delivery_rejected', status: 422 });
  t.strictSame(tried, ['first']);
  t.match(lines, [['warn', { reason: 'number', kind: 'permanent' }]]);
});

t.test('when none accepts, the user is told when to try again', async (t) => {
  const { delivery, tried } = setup({ first: refuse('temporary', 'a'), second: refuse('temporary', 'b') });
  await t.rejects(delivery.deliver(message()), { code: 'delivery_failed', status: 503, retryAfterSeconds: 5 });
  t.strictSame(tried, ['first', 'second']);
});

t.test('the error says whether a sender may have accepted the message all the same', async (t) => {
  const cases: [maybeSent: boolean, ...sends: Send[]][] = [
    [false, refuse('temporary', 'http_500'), refuse('temporary', 'http_429')],
    [false, refuse('temporary', 'busy'), refuse('temporary', 'credentials')],
    [false, refuse('temporary', 'certificate')],
    [false, refuse('permanent', 'number')],
    [true, refuse('temporary', 'timeout'), refuse('temporary', 'http_429')],
    [true, refuse('temporary', 'http_429'), refuse('temporary', 'connection')],
    [true, refuse('temporary', 'http_504'), refuse('permanent', 'number')],
    [true, refuse('temporary', 'bad_response')],
    [true, async () => Promise.reject(new TypeError('after the request was sent'))],
  ];
  for (const [index, [maybeSent, ...sends]] of cases.entries()) {
    const { delivery } = setup(Object.fromEntries(sends.map((send, place) => [`sender${place}`, send])));
    t.match(await failure(delivery.deliver(message())), { name: 'DoorcodeError', maybeSent }, `case ${index}`);
  }
});

t.test('when closing aborts an attempt, its outcome is unknown; what was not attempted is not sent', async (t) => {
  const { delivery } = setup({ first: ignore });
  const delivered = failure(delivery.deliver(message()));
  await new Promise((resolve) => setImmediate(resolve));
  await delivery.close();
  t.match(await delivered, { code: 'delivery_failed', maybeSent: true });
  t.match(await failure(delivery.deliver(message())), { code: 'delivery_failed', maybeSent: false });
});

t.test('a fault in a sender is temporary, and its message goes nowhere', async (t) => {
  for (const send of [
    async () => {
      throw new TypeError(`cannot read ${code} of ${number}`);
    },
    () => {
      throw new Error(`at once, ${code} ${number}`);
    },
    () => Promise.reject(`${code} ${number}`),
  ] satisfies Send[]) {
    const { delivery, lines, timers } = setup({ first: send });
    const error = await failure(delivery.deliver(message()));
    t.match(error, { code: 'delivery_failed' });
    t.match(lines, [['warn', { reason: 'unexpected', kind: 'temporary' }]]);
    t.notOk(leaks(error) || leaks(lines));
    t.equal(timers.size, 0);
  }
});

t.test('a sender that hangs is given up after its time, whether or not it heeds its signal', async (t) => {
  for (const send of [hang, ignore]) {
    const { delivery, tried, lines, timers, tick } = setup({ first: send, second: accept });
    const delivered = delivery.deliver(message());
    await tick();
    await delivered;
    t.strictSame(tried, ['first', 'second']);
    t.match(lines[0], ['warn', { sender: 'first', reason: 'timeout', kind: 'temporary', ms: 4_000 }]);
    t.equal(timers.size, 0);
  }
});

t.test('all tries together keep to one deadline', async (t) => {
  const { delivery, tried, started, tick } = setup({ a: ignore, b: ignore, c: ignore, d: ignore });
  const delivered = failure(delivery.deliver(message()));
  for (let i = 0; i < 4; i++) await tick();
  t.match(await delivered, { code: 'delivery_failed' });
  t.strictSame(started, [4_000, 4_000, 2_000]);
  t.strictSame(tried, ['a', 'b', 'c'], 'nothing is left for the fourth');
});

t.test('the times can be set', async (t) => {
  const { delivery, started, tick } = setup({ a: ignore, b: ignore }, { perTryMs: 20, deadlineMs: 30 });
  const delivered = failure(delivery.deliver(message()));
  for (let i = 0; i < 2; i++) await tick();
  await delivered;
  t.strictSame(started, [20, 10]);
});

t.test('time that a sender takes is told', async (t) => {
  const slow: Send = (...args) => {
    pass(120);
    return accept(...args);
  };
  const { delivery, lines, pass } = setup({ slow });
  await delivery.deliver(message());
  t.match(lines, [['info', { ms: 120 }]]);
});

t.test('a signal that has fired before the start counts', async (t) => {
  const timeoutSignal = () => ({ signal: AbortSignal.abort(), abort: () => {}, clear: () => {} });
  const { delivery, lines } = setup({ first: ignore }, { timeoutSignal });
  await t.rejects(delivery.deliver(message()), { code: 'delivery_failed' });
  t.match(lines, [['warn', { reason: 'timeout' }]]);
});

t.test('with real time', async (t) => {
  const senders = [{ name: 'stuck', channels: ['sms'], send: ignore } as const];
  const log = { info() {}, warn() {}, error() {} };
  const delivery = createDelivery({ senders, clock: Date.now, log, perTryMs: 20 });
  await t.rejects(delivery.deliver(message()), { code: 'delivery_failed' });
});

t.test('only senders that have the channel are asked', async (t) => {
  const { delivery, tried } = setup({ first: accept, 'second-voice': accept });
  await delivery.deliver(message({ channel: 'voice' }));
  t.strictSame(tried, ['second-voice']);
  const smsOnly = setup({ first: accept });
  await t.rejects(smsOnly.delivery.deliver(message({ channel: 'voice' })), { code: 'delivery_failed' });
  t.strictSame(smsOnly.tried, []);
});

t.test('the channels are those of all senders', async (t) => {
  t.strictSame(setup({}).delivery.channels, []);
  t.strictSame(setup({ a: accept, b: accept }).delivery.channels, ['sms']);
  t.strictSame(setup({ 'a-voice': accept, b: accept }).delivery.channels, ['sms', 'voice']);
});

t.test('what one sender takes of the time does not shorten the life that the next one is told', async (t) => {
  const told: number[] = [];
  const { delivery, tick } = setup({
    first: hang,
    second: async ({ expiresAt }) => {
      told.push(expiresAt);
      return { sender: 'second' };
    },
  });
  const delivered = delivery.deliver(message({ expiresAt: 100 }));
  await tick();
  await delivered;
  t.strictSame(told, [104]);
});

t.test('five failures in a row take a sender out, and it comes back by itself', async (t) => {
  let broken = true;
  const first: Send = async (...args) => (broken ? refuse('temporary', 'http_500')(...args) : accept(...args));
  const { delivery, tried, lines, pass } = setup({ first, second: accept });
  for (let i = 0; i < 5; i++) await delivery.deliver(message());
  t.strictSame(delivery.states(), { first: 'open', second: 'closed' });
  t.match(lines.at(-2), ['error', { sender: 'first' }, /left out/]);

  tried.length = 0;
  await delivery.deliver(message());
  t.strictSame(tried, ['second'], 'it is skipped');

  pass(30_000);
  tried.length = 0;
  await delivery.deliver(message());
  t.strictSame(tried, ['first', 'second'], 'one trial');
  await delivery.deliver(message());
  t.strictSame(tried, ['first', 'second', 'second'], 'which failed');

  pass(30_000);
  broken = false;
  tried.length = 0;
  await delivery.deliver(message());
  await delivery.deliver(message());
  t.strictSame(tried, ['first', 'first']);
  t.strictSame(delivery.states(), { first: 'closed', second: 'closed' });
  t.ok(lines.some(([, , text]) => text === 'sender is back'));
});

t.test('what lies with one number or country takes the sender from nobody', async (t) => {
  for (const reason of ['account', 'route', 'http_400', 'busy']) {
    const { delivery, tried, lines } = setup({ first: refuse('temporary', reason), second: accept });
    for (let i = 0; i < 10; i++) await delivery.deliver(message());
    t.equal(tried.filter((name) => name === 'first').length, 10, reason);
    t.strictSame(delivery.states(), { first: 'closed', second: 'closed' });
    t.notOk(lines.some(([level]) => level === 'error'));
  }
});

t.test('that a sender is left out is said once, however many failures come late', async (t) => {
  const { delivery, lines, tick } = setup({ first: hang });
  const delivered = Array.from({ length: 20 }, () => failure(delivery.deliver(message())));
  for (let i = 0; i < 20; i++) await tick();
  await Promise.all(delivered);
  t.equal(lines.filter(([level]) => level === 'error').length, 1);
});

t.test('a number that is refused is no failure of its sender', async (t) => {
  const { delivery, tried } = setup({ first: refuse('permanent', 'number') });
  for (let i = 0; i < 10; i++) await failure(delivery.deliver(message()));
  t.equal(tried.length, 10);
});

t.test('when every sender is left out, nobody waits, and the answer says for how long', async (t) => {
  const { delivery, tried, pass } = setup({ first: refuse('temporary', 'http_500') });
  for (let i = 0; i < 5; i++) await failure(delivery.deliver(message()));
  pass(10_500);
  await t.rejects(delivery.deliver(message()), { code: 'delivery_failed', retryAfterSeconds: 20 });
  t.equal(tried.length, 5);
});

t.test('a number that is against the rules reaches no sender', async (t) => {
  const numbers = { refusal: async () => 'country' as const };
  const { delivery, tried, lines } = setup({ first: accept }, { numbers });
  await t.rejects(delivery.deliver(message()), { code: 'delivery_rejected', status: 422 });
  t.strictSame(tried, []);
  t.strictSame(lines, [['warn', { channel: 'sms', reason: 'country' }, 'number is not sent to']]);
});

t.test('closing breaks off what is under way', async (t) => {
  const { delivery, tried, timers } = setup({ first: ignore, second: accept });
  const delivered = failure(delivery.deliver(message()));
  await new Promise((resolve) => setImmediate(resolve));
  await delivery.close();
  t.match(await delivered, { code: 'delivery_failed' });
  t.strictSame(tried, ['first'], 'and the next sender is not begun with');
  t.match(await failure(delivery.deliver(message())), { code: 'delivery_failed' });
  t.equal(timers.size, 0);
});

t.test('closing closes every sender, though one cannot', async (t) => {
  const closed: string[] = [];
  const sender = (name: string, close?: () => Promise<void>): Sender => ({
    name,
    channels: ['sms'],
    send: accept,
    ...(close && { close }),
  });
  const senders = [
    sender('none'),
    sender('broken', () => Promise.reject(new Error('no'))),
    sender('last', async () => void closed.push('last')),
  ];
  await setup({}, { senders }).delivery.close();
  t.strictSame(closed, ['last']);
});

t.test('every line is about the request that asked for the message', async (t) => {
  let works = false;
  const flaky: Send = (...args) => (works ? accept(...args) : refuse('temporary', 'http_500')(...args));
  const numbers = { refusal: async (to: string) => (to === number ? null : 'country') };
  const { delivery, lines, pass } = setup({ flaky }, { numbers });
  const trace = { requestId: 'req-1' };
  const send = (to = number) => delivery.deliver({ ...message({ to }), trace }).catch(() => {});
  for (let count = 0; count < 6; count += 1) await send();
  await send('+15550100199');
  pass(30_000);
  works = true;
  await send();
  t.strictSame(
    [...new Set(lines.map(([, , text]) => text))],
    [
      'message not accepted',
      'sender is failing and is left out for a while',
      'every sender is left out for a while',
      'number is not sent to',
      'message accepted',
      'sender is back',
    ],
  );
  for (const [, fields, text] of lines) t.match(fields, { reqId: 'req-1' }, text);
});
