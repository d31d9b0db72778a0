import t from 'tap';
import { createPasswordChecker, hashPassword } from '../../src/users/password.ts';
import { ownParameters, readParameters } from '../../src/users/password-hash.ts';
import { cheapHash } from '../support/user-files.ts';

t.test('the vectors of the reference implementation (phc-winner-argon2, src/test.c) hold', async (t) => {
  const passwords = createPasswordChecker({ now: () => 0 });
  for (const [parameters, tag] of [
    ['m=65536,t=2,p=1', 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
    ['m=65536,t=1,p=1', '9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg'],
    ['m=256,t=2,p=1', 'nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
    ['m=256,t=2,p=2', 'bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'],
  ] as const) {
    const hash = `$argon2id$v=19$${parameters}$c29tZXNhbHQ$${tag}`; // the salt is `somesalt`
    t.equal(await passwords.verify(hash, 'password'), true, parameters);
    t.equal(await passwords.verify(hash, 'passwore'), false, parameters);
  }
});

t.test('a hash is argon2id at the cost that OWASP recommends, with a salt of its own', async (t) => {
  const [one, other] = [await hashPassword('correct horse'), await hashPassword('correct horse')];
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  t.same(readParameters(one), ownParameters);
  t.not(one, other);
});

t.test('an empty password gets no hash', async (t) => {
  await t.rejects(hashPassword(''), { message: 'The password is empty' });
});

t.test('a password belongs to its hash and to no other', async (t) => {
  const passwords = createPasswordChecker({ now: () => 0 });
  const hash = await hashPassword('correct horse');
  t.equal(await passwords.verify(hash, 'correct horse'), true);
  for (const wrong of [
    '',
    'correct',
    'Correct horse',
    'correct horse ',
    'correct horse\0',
    'x'.repeat(1024),
    '\ud800',
  ]) {
    t.equal(await passwords.verify(hash, wrong), false, JSON.stringify(wrong.slice(0, 20)));
  }
});

t.test('every odd password can be one', async (t) => {
  const passwords = createPasswordChecker({ now: () => 0 });
  for (const odd of [' ', '\0', 'a\0b', 'x'.repeat(1024), 'пароль', '🔑']) {
    t.equal(await passwords.verify(await cheapHash(odd), odd), true, JSON.stringify(odd.slice(0, 20)));
  }
});

t.test('for an unknown user a hash of our cost is worked through, and the answer is no', async (t) => {
  const worked: string[] = [];
  const passwords = createPasswordChecker({
    verify: async (hash) => {
      worked.push(hash);
      return true;
    },
  });
  t.equal(await passwords.verify(null, 'demo'), false);
  t.equal(worked.length, 1);
  t.same(readParameters(worked[0] ?? ''), ownParameters);
});

t.test('an unreadable hash belongs to no password, and costs a check all the same', async (t) => {
  const passwords = createPasswordChecker({ now: () => 0 });
  for (const hash of ['', 'garbage', '$argon2id$v=19$m=19456,t=2,p=1$YWJj$YWJj']) {
    t.equal(await passwords.verify(hash, 'demo'), false, JSON.stringify(hash));
  }

  const worked: string[] = [];
  const spied = createPasswordChecker({
    verify: async (hash) => {
      worked.push(hash);
      throw new Error('Decoding failed');
    },
  });
  t.equal(await spied.verify('garbage', 'demo'), false);
  t.same(worked.map(readParameters), [null, ownParameters]);
});

t.test('checks beyond the queue are refused, and no place is lost to errors', async (t) => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let calls = 0;
  const passwords = createPasswordChecker({
    concurrency: 1,
    queueLength: 1,
    now: () => 0,
    verify: async () => {
      calls += 1;
      await gate;
      throw new Error('argon2 is out of memory');
    },
  });
  const running = passwords.verify('hash', 'demo');
  const waiting = passwords.verify(null, 'demo');
  t.equal(calls, 1);
  for (const hash of ['hash', null]) {
    await t.rejects(passwords.verify(hash, 'demo'), { code: 'overloaded', retryAfterSeconds: 1 });
  }
  t.equal(calls, 1);
  release();
  t.same(await Promise.all([running, waiting]), [false, false]);
  t.same(await Promise.all([passwords.verify('hash', 'demo'), passwords.verify('hash', 'demo')]), [false, false]);
});

t.test('by default 64 checks may wait', async (t) => {
  let release = () => {};
  const gate = new Promise<boolean>((resolve) => {
    release = () => resolve(true);
  });
  const passwords = createPasswordChecker({ concurrency: 1, verify: () => gate, now: () => 0 });
  const accepted = Array.from({ length: 65 }, () => passwords.verify('hash', 'demo'));
  await t.rejects(passwords.verify('hash', 'demo'), { code: 'overloaded' });
  release();
  t.ok((await Promise.all(accepted)).every((right) => right));
});
