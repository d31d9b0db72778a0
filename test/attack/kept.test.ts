import t from 'tap';
import type { Scene } from '../../src/attack/attack.ts';
import { theGuessed, theSignedIn, untouchedLogin } from '../../src/attack/kept.ts';
import type { OpenLogin } from '../../src/attack/logins.ts';
import { fakeClock } from '../support/fake-clock.ts';

t.test('the untouched login is opened once for as long as its code lives', async (t) => {
  const clock = fakeClock();
  const opened: OpenLogin[] = [];
  const logins = {
    open: async () => {
      const login = { deadAtMs: clock() + 61_000 } as OpenLogin;
      opened.push(login);
      return login;
    },
  };
  const scene = { clock, logins, accounts: [{ username: 'alice', password: 'x' }] } as unknown as Scene;
  const first = await untouchedLogin(scene);
  clock.advance(50);
  t.equal(await untouchedLogin(scene), first);
  clock.advance(10);
  t.not(await untouchedLogin(scene), first);
  t.equal(opened.length, 2);
});

t.test('without what an earlier attack should have left, nothing can be tried', async (t) => {
  const scene = {} as Scene;
  t.throws(() => theSignedIn(scene), { name: 'NotTried' });
  t.throws(() => theGuessed(scene), { name: 'NotTried' });
  const login = {} as OpenLogin;
  t.equal(theGuessed({ guessed: login } as Scene), login);
});
