import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { mock } from 'node:test';
import t from 'tap';
import { AnswerTimeout, createAnswerTimeout } from '../../src/limits/answer-timeout.ts';

const silence = () => new Promise<never>(() => {});

t.test('an answer that comes is passed on, whatever it is', async (t) => {
  const inTime = createAnswerTimeout(80);
  t.equal(await inTime(Promise.resolve(7)), 7);
  await t.rejects(inTime(Promise.reject(new Error('no'))), { message: 'no' });
});

t.test('each gets the whole time, and little more', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const inTime = createAnswerTimeout(80);
  const ended: string[] = [];
  const end = (name: string) => (error: unknown) => ended.push(`${name}: ${error instanceof AnswerTimeout}`);
  inTime(silence()).catch(end('first'));
  mock.timers.tick(50);
  inTime(silence()).catch(end('second'));
  mock.timers.tick(30);
  await turn();
  t.strictSame(ended, []);
  mock.timers.tick(10);
  await turn();
  t.strictSame(ended, ['first: true']);
  mock.timers.tick(50);
  await turn();
  t.strictSame(ended, ['first: true', 'second: true']);
});

t.test('a loop that stood still has cost one step', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  const [peer] = (await once(server, 'connection')) as [Socket];
  const inTime = createAnswerTimeout(80);
  const answer = inTime(once(client, 'data'));
  // The answer has arrived when the loop stops, but timers run before it is read.
  peer.end('answer');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120);
  t.equal(String(await answer), 'answer');
});

async function turn(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
}
