import t from 'tap';
import { createDemoDirectory, DEMO_USER } from '../../src/users/demo.ts';
import { directoryContract } from './directory.contract.ts';

directoryContract(t, 'the demo directory', async () => ({
  directory: createDemoDirectory(),
  username: 'demo',
  password: 'demo',
  user: { username: 'demo', phone: '+15550100100' },
}));

t.test('the demo user is the one that start-up names', async (t) => {
  t.equal(await createDemoDirectory().authenticate('DEMO', 'demo'), DEMO_USER);
});
