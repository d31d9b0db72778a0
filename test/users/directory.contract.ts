import type { Test } from 'tap';
import type { Directory, User } from '../../src/users/directory.ts';

/** One directory with at least one user in it, and what is known about that user. */
export interface DirectoryFixture {
  readonly directory: Directory;
  readonly username: string;
  readonly password: string;
  /** What the directory answers for them. */
  readonly user: User;
}

/** What every {@link Directory} has to do. Each adapter's test runs it. */
export function directoryContract(t: Test, name: string, make: (t: Test) => Promise<DirectoryFixture>) {
  t.test(`${name} is a directory`, async (t) => {
    const { directory, username, password, user } = await make(t);

    t.test('username and password give the user', async (t) => {
      t.strictSame(await directory.authenticate(username, password), user);
    });

    t.test("however the name is typed, the user has the directory's own spelling", async (t) => {
      const fullWidth = username.replace(/[!-~]/g, (ascii) => String.fromCharCode(ascii.charCodeAt(0) + 0xfee0));
      for (const typed of [username.toLowerCase(), username.toUpperCase(), fullWidth]) {
        t.strictSame(await directory.authenticate(typed, password), user, typed);
      }
    });

    t.test('a wrong password and an unknown user get the same answer', async (t) => {
      for (const [typedName, typedPassword] of [
        [username, `${password}x`],
        [username, password.slice(0, -1)],
        [username, password.toUpperCase()],
        [username, ` ${password}`],
        [username, `${password}\0`],
        [username, username.repeat(2)],
        [`${username}x`, password],
        [` ${username}`, password],
        [password.repeat(2), username],
        ['__proto__', password],
        ['constructor', password],
      ] as const) {
        t.equal(
          await directory.authenticate(typedName, typedPassword),
          null,
          JSON.stringify([typedName, typedPassword]),
        );
      }
    });

    t.test('nothing typed is nobody', async (t) => {
      t.equal(await directory.authenticate('', ''), null);
      t.equal(await directory.authenticate(username, ''), null);
      t.equal(await directory.authenticate('', password), null);
    });

    t.test('odd input is nobody, and never throws', async (t) => {
      for (const odd of ['\0', 'a\0b', '\ud800', 'a\udfffb', '\u202e', '🔑', '\r\n', '"', '{}', 'x'.repeat(1024)]) {
        t.equal(await directory.authenticate(username, odd), null, JSON.stringify(odd.slice(0, 20)));
        t.equal(await directory.authenticate(odd, password), null, JSON.stringify(odd.slice(0, 20)));
        t.equal(await directory.authenticate(odd, odd), null, JSON.stringify(odd.slice(0, 20)));
      }
    });

    t.test('many at once each get their own answer', async (t) => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => directory.authenticate(username, i % 2 === 0 ? password : 'wrong')),
      );
      t.strictSame(
        answers,
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? user : null)),
      );
    });
  });
}
