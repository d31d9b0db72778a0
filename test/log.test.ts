import t from 'tap';
import { silentLog } from '../src/log.ts';

t.test('the silent log says nothing, on every level', async (t) => {
  const out = t.capture(process.stdout, 'write');
  const err = t.capture(process.stderr, 'write');
  const answers = (['info', 'warn', 'error'] as const).map((level) => silentLog[level]({ err: new Error('x') }, 'x'));
  out.restore();
  err.restore();
  t.strictSame(answers, [undefined, undefined, undefined]);
  t.strictSame([out(), err()], [[], []]);
});
