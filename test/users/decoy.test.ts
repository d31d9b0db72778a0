import { verify } from '@node-rs/argon2';
import t from 'tap';
import { decoyHash, kindsOfHash } from '../../src/users/decoy.ts';
import { ownParameters, readParameters } from '../../src/users/password-hash.ts';
import { cheapHash } from '../support/user-files.ts';

t.test('a decoy is a hash of our own cost that argon2 works through', async (t) => {
  const decoy = decoyHash();
  t.same(readParameters(decoy), ownParameters);
  t.equal(await verify(decoy, ''), false);
});

t.test('a decoy takes the cost it is given', async (t) => {
  const parameters = { memoryKib: 64, passes: 3, lanes: 2 };
  t.same(readParameters(decoyHash(parameters)), parameters);
});

t.test('no two decoys are alike', async (t) => {
  t.not(decoyHash(), decoyHash());
});

t.test('the most common kind of hash comes first', async (t) => {
  const [rare, common, also] = [await cheapHash('a', 1), await cheapHash('a', 2), await cheapHash('b', 2)];
  t.same(kindsOfHash([rare, common, also]), [
    { memoryKib: 8, passes: 2, lanes: 1 },
    { memoryKib: 8, passes: 1, lanes: 1 },
  ]);
  t.same(kindsOfHash([common, also]), [{ memoryKib: 8, passes: 2, lanes: 1 }]);
  t.same(kindsOfHash(['no hash']), []);
  t.same(kindsOfHash([]), []);
});
