import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import type { DoorcodeEvent } from '../../src/events.ts';
import { createPatience } from '../../src/http/overload.ts';
import { BROWSER, testApp } from '../support/build-app.ts';

const MAX_DELAY_MS = 100;

/** Blocks the event loop for longer than a sample takes, so that the next sample is late, on any machine. */
async function makeLate(): Promise<void> {
  const until = performance.now() + 3 * MAX_DELAY_MS;
  while (performance.now() < until);
  await setTimeout(0);
}

t.test('while the event loop is late, requests are refused; health is answered; afterwards all is well', async (t) => {
  const events: DoorcodeEvent[] = [];
  const { app, get, post, logs } = await testApp({
    env: { MAX_EVENT_LOOP_DELAY: String(MAX_DELAY_MS) },
    ports: { events: (event) => void events.push(event) },
  });
  t.teardown(() => app.close());
  await app.ready();
  let refusals = 0;
  /** Repeats a request until it is refused, because the service tolerates the first late samples, also after a pause. */
  const refused = async (request: () => ReturnType<typeof get>) => {
    let answer = await request();
    for (let round = 0; round < 100 && answer.statusCode !== 503; round += 1) {
      await makeLate();
      answer = await request();
    }
    t.equal(answer.statusCode, 503);
    refusals += 1;
    return answer;
  };
  let answer = await refused(() => get('/login'));
  t.match(answer.json(), { status: 503, code: 'overloaded', retryAfter: 2 });
  t.equal(answer.headers['retry-after'], '2');
  t.equal(answer.headers['cache-control'], 'no-store');
  t.ok(answer.headers['content-security-policy']);
  await refused(() => post('/otp', { otp: '123456' }));
  const nobody = { 'remote-user': '', 'x-doorcode-assertion': '' };
  t.match((await refused(() => get('/auth'))).headers, nobody, 'and not who the client says it is');
  const page = await refused(() => get('/login', undefined, BROWSER));
  t.match(page.headers['content-type'], 'text/html');
  await makeLate();
  t.equal((await get('/healthz')).statusCode, 200);
  t.equal((await get('/readyz')).statusCode, 200);
  const overloads = events.filter((event) => event.type === 'refused' && event.outcome === 'overloaded');
  t.equal(overloads.length, refusals);
  const lines = logs.filter((line) => line.includes('sys_overload'));
  t.ok(lines.length >= 1 && lines.length < refusals, 'fewer lines than refused requests');

  for (let round = 0; round < 600 && answer.statusCode === 503; round += 1) {
    await setTimeout(100);
    answer = await get('/login');
  }
  t.equal(answer.statusCode, 200);
});

t.test('a second of late samples refuses nobody, those after it do', async (t) => {
  const isHiccup = createPatience(250);
  const late = (moments: number[], delayMs = 0) => moments.map((nowMs) => isHiccup(nowMs, delayMs));
  t.strictSame(late([1000, 1250, 1500, 1750, 1999]), [true, true, true, true, true], 'the first second');
  t.strictSame(late([2000, 2250, 2700]), [false, false, false], 'after it');
  t.strictSame(late([3201, 3600, 4000, 4200]), [true, true, true, true], 'after a calm it begins anew');
  t.strictSame(late([4201]), [false]);
  t.strictSame(late([5200, 6100], 300), [false, false], 'held up for so long that no request came in is no calm');
  t.equal(
    createPatience(250)(500, Number.POSITIVE_INFINITY),
    true,
    'a stall in which nothing was measured is a hiccup first',
  );
});
