import t from 'tap';
import { type Attack, GotThrough, NotTried } from '../../src/attack/attack.ts';
import { createDemoDirectory } from '../../src/users/demo.ts';
import { attackedApp } from '../support/attacked-app.ts';
import { attackAt, named, ON_AN_APP } from '../support/attacking.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { freePort } from '../support/redis.ts';

t.test('a default start with a webhook passes, and again a moment later', async (t) => {
  const { url, inboxPort, clock, now } = await attackedApp(t, { directory: createDemoDirectory });
  const first = await attackAt(url, inboxPort, clock, { now });
  t.strictSame(named(first.findings, 'failed'), [], first.lines.join('\n'));
  t.strictSame(named(first.findings, 'skipped'), [...ON_AN_APP, 'guessing over many codes']);
  t.equal(first.exitCode, 0);
  t.match(first.lines.at(-1), /^22 passed, 0 failed, 5 skipped; \d{3} requests, 5 codes sent, \d+ s$/);
  for (const line of first.lines) t.notMatch(line, /\d{6}|5550100100/, 'no code and no number is printed');

  // It waits for further codes; of wrong passwords the name has too few left within a quarter of an hour.
  const second = await attackAt(url, inboxPort, clock, { now });
  t.strictSame(named(second.findings, 'failed'), [], second.lines.join('\n'));
  t.strictSame(named(second.findings, 'skipped'), [
    ...ON_AN_APP,
    'guessing over many codes',
    'user enumeration by bytes',
    'user enumeration by time',
  ]);
  t.equal(second.exitCode, 0);
});

t.test('a deployment whose codes do not come is told how to be started, and not attacked for nothing', async (t) => {
  const { url, inboxPort, clock } = await attackedApp(t, {
    directory: createDemoDirectory,
    ports: { delivery: { channels: ['sms'], deliver: async () => ({ sender: 'another' }) } },
  });
  const { findings, exitCode, lines } = await attackAt(url, inboxPort, clock);
  t.equal(exitCode, 1);
  t.ok(named(findings, 'skipped').includes('brute force'));
  t.match(lines, [`skipped  send bombing: no code came to http://127.0.0.1:${inboxPort}/`]);
  t.strictSame(lines.slice(-2), [
    'No code came. Start doorcode so that it sends them here, with the same WEBHOOK_SECRET and:',
    `  WEBHOOK_URL=http://127.0.0.1:${inboxPort}/ npm start`,
  ]);
});

const attack = (name: string, run: Attack['run']): Attack => ({ name, run });
const quiet = async () => 'seen';

t.test('what gets through has failed, what breaks was not tried, and all of it is told', async (t) => {
  const { url } = await startLoopbackServer(t);
  const attacks = [
    attack('one', quiet),
    attack('two', async () => {
      throw new GotThrough('it opened');
    }),
    attack('three', async () => {
      throw new NotTried('nothing to try');
    }),
    attack('four', async () => {
      throw new TypeError('a fault of ours');
    }),
  ];
  const { findings, exitCode, lines } = await attackAt(url, await freePort(), fakeClock(), { attacks });
  t.strictSame(
    findings.map(({ outcome, evidence }) => [outcome, evidence]),
    [
      ['passed', 'seen'],
      ['failed', 'it opened'],
      ['skipped', 'nothing to try'],
      ['skipped', 'it broke: TypeError: a fault of ours'],
    ],
  );
  t.equal(exitCode, 1);
  t.equal(lines[4], '1 passed, 1 failed, 2 skipped; 1 requests, 0 codes sent, 0 s');
});

t.test('it waits no longer than it may', async (t) => {
  const { url } = await startLoopbackServer(t);
  const attacks = [
    attack('patient', async ({ pause }) => {
      await pause(60_000, 'it is time');
      await pause(500, 'it is nearly time');
      return 'seen';
    }),
    attack('too patient', async ({ pause }) => {
      await pause(60_000, 'it is time again');
      return 'seen';
    }),
  ];
  const { findings, lines } = await attackAt(url, await freePort(), fakeClock(), { attacks, maxSeconds: 100 });
  t.match(findings, [
    { outcome: 'passed' },
    { outcome: 'skipped', evidence: 'in 60 s it is time again, but this run ends before that (--minutes)' },
  ]);
  t.equal(lines[0], '   ...    waiting 60 s until it is time');
});

t.test('it asks nothing more when its time is over', async (t) => {
  const { url, visits } = await startLoopbackServer(t);
  const clock = fakeClock();
  const asking = attack('asking', async ({ client }) => {
    await client.get('/');
    clock.advance(60);
    return 'seen';
  });
  const { findings } = await attackAt(url, await freePort(), clock, {
    attacks: [asking, asking, asking],
    maxSeconds: 100,
  });
  t.match(findings, [
    { outcome: 'passed' },
    { outcome: 'passed' },
    { outcome: 'skipped', evidence: 'this run is over (--minutes)' },
  ]);
  t.equal(visits.length, 3, 'one to see that somebody answers');
});

t.test('nothing is attacked where nothing answers', async (t) => {
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  await t.rejects(attackAt(nowhere, await freePort(), fakeClock()), /cannot be reached/);
  const { url } = await startLoopbackServer(t, (_visit, response) => void response.destroy());
  await t.rejects(attackAt(url, await freePort(), fakeClock()), /does not answer/);
});
