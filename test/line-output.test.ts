import { Writable } from 'node:stream';
import t from 'tap';
import { createLineOutput } from '../src/line-output.ts';

/** A stream that keeps what it accepts, and can stall or fail. */
function createSink() {
  const accepted: string[] = [];
  const sink = { accepted, error: null as Error | null, stalled: false, resume: () => {}, stream: new Writable() };
  sink.stream = new Writable({
    decodeStrings: false,
    // As standard output does in Node.js, so that an error does not close it.
    destroy(error, done) {
      done(error);
      if (error !== null) (this as unknown as { _undestroy(): void })._undestroy();
    },
    write(chunk: string, _encoding, done) {
      const settle = () => {
        if (sink.error === null) accepted.push(chunk);
        done(sink.error);
      };
      if (!sink.stalled) return settle();
      sink.resume = () => {
        sink.stalled = false;
        settle();
      };
    },
  });
  return sink;
}

const turn = () => new Promise(setImmediate);

t.test('lines are written in their order', async (t) => {
  const { stream, accepted } = createSink();
  const output = createLineOutput(stream);
  output.write('a\n');
  output.write('b\n');
  await output.flush(60_000);
  t.equal(accepted.join(''), 'a\nb\n');
  t.equal(output.dropped(), 0);
});

t.test(
  'while a reader has stalled, lines wait up to a limit, the others are dropped, counted and reported',
  async (t) => {
    const sink = createSink();
    const output = createLineOutput(sink.stream, 10);
    const reports: number[] = [];
    output.onRecovery((dropped) => void reports.push(dropped));
    sink.stalled = true;
    for (let line = 0; line < 8; line += 1) output.write(`${line}..\n`);
    await output.flush(1);
    t.strictSame([output.dropped(), reports], [6, []]);
    sink.resume();
    await output.flush(60_000);
    t.equal(sink.accepted.join(''), '0..\n1..\n', 'no part of a line');
    t.strictSame(reports, [6]);
    output.write('8..\n');
    await output.flush(60_000);
    t.equal(sink.accepted.join(''), '0..\n1..\n8..\n');
    t.strictSame([output.dropped(), reports], [6, [6]], 'reported once');
  },
);

t.test('an error ends nothing; the next line that can be written starts on a new line', async (t) => {
  for (const code of ['ENOSPC', 'EPIPE', 'EIO', 'EAGAIN']) {
    const sink = createSink();
    const output = createLineOutput(sink.stream);
    const reports: number[] = [];
    sink.error = Object.assign(new Error('no write'), { code });
    output.write('a\n');
    await turn();
    output.write('b\n');
    await turn();
    t.strictSame([output.dropped(), sink.accepted], [2, []], code);
    output.onRecovery((dropped) => {
      reports.push(dropped);
      output.write(`${dropped} dropped\n`);
    });
    sink.error = null;
    output.write('c\n');
    await turn();
    t.strictSame([sink.accepted.join(''), reports], ['\nc\n2 dropped\n', [2]], code);
  }
});

t.test('output is delayed while text waits or the last line could not be written', async (t) => {
  const sink = createSink();
  const output = createLineOutput(sink.stream);
  output.write('a\n');
  t.equal(output.isDelayed(), false);
  sink.stalled = true;
  output.write('b\n');
  t.equal(output.isDelayed(), true, 'the reader has stalled');
  sink.resume();
  await output.flush(60_000);
  t.equal(output.isDelayed(), false);
  sink.error = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  output.write('c\n');
  await turn();
  t.equal(output.isDelayed(), true, 'the disk is full');
});

t.test('a stream that is closed takes nothing and does not throw', async (t) => {
  const { stream } = createSink();
  const output = createLineOutput(stream);
  stream.destroy();
  output.write('a\n');
  await output.flush(60_000);
  t.equal(output.dropped(), 1);
});
