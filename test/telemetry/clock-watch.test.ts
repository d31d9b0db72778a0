import t from 'tap';
import { deriveKeys } from '../../src/seal/keys.ts';
import { createClockWatch } from '../../src/telemetry/clock-watch.ts';
import { ALICE, testApp, wrongCode } from '../support/build-app.ts';
import { fakeClock } from '../support/fake-clock.ts';

const trace = { requestId: 'req-1' };

t.test('it is told for a minute, in the log once', async (t) => {
  const clock = fakeClock();
  const lines: object[] = [];
  const log = { info() {}, error() {}, warn: (fields: object) => void lines.push(fields) };
  const watch = createClockWatch({ clock, log });
  t.strictSame(watch.warnings(), []);
  watch.events({ type: 'clock_behind', trace, seconds: 7 });
  watch.events({ type: 'clock_behind', trace, seconds: 9 });
  watch.events({ type: 'clock_behind', trace, seconds: 8 });
  watch.events({ type: 'receipt', sender: 'twilio', channel: 'sms', status: 'sent' });
  t.strictSame(lines, [{ event: 'sys_clock_behind', reqId: 'req-1', seconds: 7 }]);
  t.match(watch.warnings(), [/^clock: 9 s behind/]);
  clock.advance(59);
  t.equal(watch.warnings().length, 1);
  clock.advance(1);
  t.strictSame(watch.warnings(), []);
  watch.events({ type: 'clock_behind', trace, seconds: 6 });
  t.equal(lines.length, 2);
  t.match(watch.warnings(), [/^clock: 6 s behind/]);
  clock.advance(-3600);
  t.strictSame(watch.warnings(), [], 'the clock was set back');
});

t.test(
  'a challenge from the future is refused, and told of in log, event and readiness; 5 s are tolerated',
  async (t) => {
    const keys = deriveKeys([Buffer.alloc(32, 3)]);
    const ahead = await testApp({ ports: { keys } });
    for (const [seconds, expected] of [
      [5, 0],
      [6, 1],
    ] as const) {
      const events: string[] = [];
      const behind = await testApp({
        ports: { keys, events: ({ type }) => void events.push(type) },
        clock: fakeClock(ahead.clock() / 1000 - seconds),
      });
      const { jar, code } = await ahead.login(ALICE);
      const { statusCode } = await behind.post('/otp', { otp: wrongCode(code) }, jar);
      t.equal(statusCode, expected === 0 ? 403 : 401, `${seconds} s`);
      t.equal(events.filter((type) => type === 'clock_behind').length, expected);
      t.equal(behind.logs.filter((line) => line.includes('sys_clock_behind')).length, expected);
      const ids = behind.logs.map((line) => JSON.parse(line)).map(({ event, msg, reqId }) => [event ?? msg, reqId]);
      const [, asked] = ids.find(([about]) => about === 'request') ?? [];
      t.match(asked, /./);
      t.ok(
        ids.every(([about, id]) => about !== 'sys_clock_behind' || id === asked),
        'its lines are about one request',
      );
      const ready = await behind.get('/readyz');
      t.equal(ready.statusCode, 200, 'one replica whose clock is ahead must not take all others out of traffic');
      t.equal(ready.json().warnings.length, expected);
      t.notMatch(ready.body, /alice|\d{6}/);
    }
  },
);

t.test('a verification tells of it as well', async (t) => {
  const { makeApiKey } = await import('../../src/verifications/api-keys.ts');
  const { seededRandom } = await import('../support/build-app.ts');
  const { key, entry } = makeApiKey('shop', seededRandom());
  const env = { API_KEYS: entry };
  const keys = deriveKeys([Buffer.alloc(32, 3)]);
  const headers = { authorization: `Bearer ${key}` };
  const ahead = await testApp({ ports: { keys }, env });
  const events: string[] = [];
  const behind = await testApp({
    ports: { keys, events: ({ type }) => void events.push(type) },
    clock: fakeClock(ahead.clock() / 1000 - 8),
    env,
  });
  const { id } = (await ahead.post('/verifications', { to: '+15550100103' }, undefined, headers)).json();
  await behind.post('/verifications/check', { id, code: '123456' }, undefined, headers);
  t.strictSame(events, ['clock_behind', 'checked']);
});
