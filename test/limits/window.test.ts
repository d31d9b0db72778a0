import t from 'tap';
import { boundedEnd, parseWindows, strictest } from '../../src/limits/window.ts';

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

t.test('no period ends later than its length from now', async (t) => {
  t.equal(boundedEnd(5000, 3000, 4000), 5000);
  t.equal(boundedEnd(50_000, 3000, 4000), 7000, 'it began in the future');
  t.equal(boundedEnd(1000, 3000, 4000), 1000, 'it is over');
});

t.test('of windows of one length the strictest is kept', async (t) => {
  t.strictSame(strictest(parseWindows('5/600,20/600,4/60') ?? []), parseWindows('5/600,4/60'));
  t.strictSame(strictest(parseWindows('20/600,4/60,5/600') ?? []), parseWindows('5/600,4/60'));
  t.strictSame(strictest([]), []);
});
