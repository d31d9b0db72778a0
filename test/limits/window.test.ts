import t from 'tap';
import { parseWindows } from '../../src/limits/window.ts';

t.test('count/seconds, several of them, or off', async (t) => {
  t.strictSame(parseWindows('5/600'), [{ count: 5, seconds: 600 }]);
  t.strictSame(parseWindows('5/600, 20/86400'), [
    { count: 5, seconds: 600 },
    { count: 20, seconds: 86_400 },
  ]);
  t.strictSame(parseWindows('off'), []);
});

t.test('anything else is no limit', async (t) => {
  for (const text of [
    '',
    '5',
    '5/',
    '/600',
    '0/600',
    '5/0',
    '-5/600',
    '5/600,',
    ',',
    'OFF',
    '5/600s',
    '1e3/60',
    '5.5/60',
    '5/600,off',
  ]) {
    t.equal(parseWindows(text), null, text);
  }
});
