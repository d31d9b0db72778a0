import t from 'tap';
import { DoorcodeError } from '../../src/errors.ts';
import { tracedDirectory } from '../../src/telemetry/traced-directory.ts';
import type { StartSpan } from '../../src/trace.ts';

t.test('a question is a step; of a failure its code is told, of an answer nothing', async (t) => {
  const ended: unknown[] = [];
  const startSpan: StartSpan = (name, trace) => ({
    trace: { requestId: trace?.requestId ?? '', traceparent: 'below' },
    end: (failure) => void ended.push([name, failure]),
  });
  let closed = false;
  const directory = tracedDirectory(
    {
      async authenticate(username, _password, trace) {
        t.strictSame(trace, { requestId: '1', traceparent: 'below' });
        if (username === 'nobody') return null;
        throw new DoorcodeError('directory_unavailable');
      },
      async close() {
        closed = true;
      },
    },
    startSpan,
  );
  t.equal(await directory.authenticate('nobody', 'x', { requestId: '1' }), null);
  await t.rejects(directory.authenticate('alice', 'x', { requestId: '1' }), { code: 'directory_unavailable' });
  t.strictSame(ended, [
    ['directory', undefined],
    ['directory', 'directory_unavailable'],
  ]);
  await directory.close?.();
  t.ok(closed);
  t.equal(tracedDirectory({ authenticate: async () => null }, startSpan).close, undefined);
});
