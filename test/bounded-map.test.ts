import t from 'tap';
import { createBoundedMap } from '../src/bounded-map.ts';

t.test('the oldest makes room; what is set again is the newest', async (t) => {
  const map = createBoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  t.equal(map.get('b'), undefined);
  t.equal(map.get('a'), 3);
  t.equal(map.get('c'), 4);
});
