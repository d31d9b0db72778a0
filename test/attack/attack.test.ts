import { randomBytes } from 'node:crypto';
import t from 'tap';
import { expect, GotThrough, madeUpName, wrongCode } from '../../src/attack/attack.ts';

t.test('what does not hold is evidence', async (t) => {
  expect(true, 'nothing');
  t.throws(() => expect(false, 'it opened'), new GotThrough('it opened'));
});

t.test('a made-up name is a new one each time, as long as it is asked to be', async (t) => {
  const scene = { random: randomBytes };
  t.match(madeUpName(scene), /^nobody-[\da-f]{9}$/);
  t.not(madeUpName(scene), madeUpName(scene));
  for (const length of [1, 4, 12, 13, 40]) t.equal(madeUpName(scene, length).length, length);
});

t.test('a wrong code has the form of the right one', async (t) => {
  t.equal(wrongCode('123456'), '123457');
  t.equal(wrongCode('999999', 2), '000001');
  t.equal(wrongCode('0000000009', 1), '0000000010');
});
